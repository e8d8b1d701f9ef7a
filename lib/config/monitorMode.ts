const lessIsBetter =
  /^(loss|error|err|mae|mse|rmse|mape|smape|nll|perplexity|ppl|wer|cer|distance|divergence|regret|cost)$/i;
const moreIsBetter =
  /^(accuracy|acc|f1|fbeta|score|precision|recall|sensitivity|specificity|auroc|auc|ap|map|r2|iou|jaccard|dice|mcc|kappa|bleu|rouge\w*|psnr|ssim|pearson|spearman|correlation|reward|return|hits)$/i;

/**
 * Whether less or more of a metric is better, where its name says it: that of its last word which does, such as `accuracy` of
 * `val_accuracy_top5`. Undefined where none does.
 */
export function directionOf(monitor: string): 'min' | 'max' | undefined {
  for (const word of monitor.split(/[_./-]/).reverse()) {
    if (lessIsBetter.test(word)) return 'min';
    if (moreIsBetter.test(word)) return 'max';
  }
  return undefined;
}
