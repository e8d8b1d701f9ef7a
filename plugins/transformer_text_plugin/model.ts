import { BaseModel, nn, randn, type StepOutput, type Tensor, type TransformerConfig } from 'aiforge';

/** One encoder layer: self-attention and a feed-forward net, each with dropout, a residual connection and LayerNorm. */
export class TransformerEncoder extends nn.Module {
  selfAttn: nn.MultiheadAttention;
  feedForward: nn.Sequential;
  norm1: nn.LayerNorm;
  norm2: nn.LayerNorm;
  dropout1: nn.Dropout;
  dropout2: nn.Dropout;

  constructor(embeddingDim: number, numHeads: number, ffDim: number, dropout: number) {
    super();
    this.selfAttn = new nn.MultiheadAttention(embeddingDim, numHeads, { dropout, batchFirst: true });
    this.feedForward = new nn.Sequential(
      new nn.Linear(embeddingDim, ffDim),
      new nn.ReLU(),
      new nn.Dropout(dropout),
      new nn.Linear(ffDim, embeddingDim),
    );
    this.norm1 = new nn.LayerNorm(embeddingDim);
    this.norm2 = new nn.LayerNorm(embeddingDim);
    this.dropout1 = new nn.Dropout(dropout);
    this.dropout2 = new nn.Dropout(dropout);
  }

  /** (batch, length, embeddingDim) in and out; `mask` is added to the attention's scores. */
  forward(x: Tensor, mask: Tensor | null = null): Tensor {
    const [attended] = this.selfAttn.forward(x, x, x, { attnMask: mask });
    const y = this.norm1.forward(x.add(this.dropout1.forward(attended)));
    return this.norm2.forward(y.add(this.dropout2.forward(this.feedForward.forward(y))));
  }
}

export interface Batch {
  input_ids: Tensor;
  labels: Tensor;
}

/** A text classifier: token ids (batch, length) in, logits (batch, outputDim) out. */
export class Model extends BaseModel<TransformerConfig, Batch> {
  embedding: nn.Embedding;
  posEncoder: nn.Parameter;
  transformerLayers: nn.ModuleList<TransformerEncoder>;
  classifier: nn.Linear;

  constructor(config: TransformerConfig) {
    super(config);
    const { vocabSize, embeddingDim, numHeads, numLayers, ffDim, maxSeqLen, outputDim, dropout } = config;
    this.embedding = new nn.Embedding(vocabSize, embeddingDim);
    this.posEncoder = new nn.Parameter(randn([1, maxSeqLen, embeddingDim]));
    this.transformerLayers = new nn.ModuleList(
      Array.from({ length: numLayers }, () => new TransformerEncoder(embeddingDim, numHeads, ffDim, dropout)),
    );
    this.classifier = new nn.Linear(embeddingDim, outputDim);
  }

  forward(ids: Tensor, mask: Tensor | null = null): Tensor {
    let x = this.embedding.forward(ids);
    x = x.add(this.posEncoder.narrow(1, 0, ids.size(1)));
    for (const layer of this.transformerLayers) x = layer.forward(x, mask);
    return this.classifier.forward(x.mean(1));
  }

  trainingStep(batch: Batch): StepOutput {
    const predictions = this.forward(batch.input_ids);
    return { loss: this.lossFn.forward(predictions, batch.labels), predictions };
  }

  validationStep(batch: Batch): StepOutput {
    return this.trainingStep(batch);
  }
}
