// 104 points that tell the campaign when they are loaded or read.
import { BaseDataset, Generator, randn, tensor } from 'aiforge';

const reach = (point) => globalThis.campaign?.reach(`Dataset.${point}`);

export class Dataset extends BaseDataset {
  #x = randn([104, 4], { generator: new Generator().manualSeed(7) });

  get length() {
    reach('length');
    return 104;
  }

  get(index) {
    reach('get');
    const x = this.#x.at(index);
    return { x, labels: tensor(x.sum().item() > 0 ? 1 : 0) };
  }

  async loadData(_path, { barrier }) {
    reach('loadData');
    await barrier();
  }
}
