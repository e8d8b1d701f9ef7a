import { boolean, optional } from '../kinds.js';
import { signature } from '../signature.js';
import { keep, scope, type DType, type Tensor } from '../tensor/index.js';
import { dtypeKind, tensorKind } from '../tensor/kinds.js';
import { convertImageDtype, toDtype, type ToDtypeOptions } from './functional/dtype.js';
import { normalizedBy, statisticsFor, statisticsKind, type Statistics } from './functional/normalize.js';
import { imageShape, refusal } from './image.js';
import { Transform } from './transform.js';

const toDtypeTakes = signature<ToDtypeOptions>({ dtype: dtypeKind }, { scale: boolean });

/**
 * Images in another dtype, their values scaled where `scale` is set. As `torchvision.transforms.v2.ToDtype`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * const image = tensor([[[0, 255]]], { dtype: 'uint8' });
 * new transforms.ToDtype('float32', { scale: true }).forward(image).tolist(); // [[[0, 1]]]
 */
export class ToDtype extends Transform {
  readonly dtype: DType;
  readonly scale: boolean;

  constructor(dtype: DType, options: ToDtypeOptions = {}) {
    toDtypeTakes.check(new.target.name, arguments);
    super();
    this.dtype = dtype;
    this.scale = options.scale ?? false;
  }

  protected override transform(image: Tensor): Tensor {
    return toDtype(image, this.dtype, { scale: this.scale });
  }
}

const convertTakes = signature({ dtype: optional(dtypeKind) });

/**
 * Images in another dtype, their values scaled. As `torchvision.transforms.v2.ConvertImageDtype`.
 *
 * @example
 * import { tensor } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.ConvertImageDtype().forward(tensor([[[255]]], { dtype: 'uint8' })).item(); // 1
 */
export class ConvertImageDtype extends Transform {
  readonly dtype: DType;

  constructor(dtype: DType = 'float32') {
    convertTakes.check(new.target.name, arguments);
    super();
    this.dtype = dtype;
  }

  protected override transform(image: Tensor): Tensor {
    return convertImageDtype(image, this.dtype);
  }
}

const normalizeTakes = signature({ mean: statisticsKind, std: statisticsKind });

/**
 * Images of floats less a mean and divided by a standard deviation, of all channels or of each. As
 * `torchvision.transforms.v2.Normalize`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.Normalize([0.5], [0.25]).forward(ones([1, 1, 1])).item(); // 2
 */
export class Normalize extends Transform {
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
  /** By the kind of image that they go with. */
  readonly #statistics = new Map<string, Statistics>();

  constructor(mean: number | readonly number[], std: number | readonly number[]) {
    normalizeTakes.check(new.target.name, arguments);
    super();
    this.mean = typeof mean === 'number' ? mean : Object.freeze([...mean]);
    this.std = typeof std === 'number' ? std : Object.freeze([...std]);
  }

  protected override transform(image: Tensor): Tensor {
    return normalizedBy(image, this.#statisticsFor(image));
  }

  #statisticsFor(image: Tensor): Statistics {
    const kind = `${image.dtype} ${image.device} ${image.ndim < 3 ? 'none' : image.size(-3)}`;
    let statistics = this.#statistics.get(kind);
    if (statistics === undefined) {
      statistics = scope(() => statisticsFor(image, this.mean, this.std));
      keep(statistics.mean);
      keep(statistics.std);
      this.#statistics.set(kind, statistics);
    }
    return statistics;
  }
}

const linearTakes = signature({ transformationMatrix: tensorKind, meanVector: tensorKind });

/**
 * Images as vectors, less a mean and times a matrix, such as whitening needs. The matrix is [D, D] and the mean [D], where D is
 * channels · height · width. As `torchvision.transforms.v2.LinearTransformation`.
 *
 * @throws AiforgeError INVALID_ARGUMENT for a matrix that is not square, or not as long as the mean; from `forward` for images of
 * other than D values.
 * @example
 * import { eye, ones, zeros } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.LinearTransformation(eye(4), zeros([4])).forward(ones([1, 2, 2])).shape; // [1, 2, 2]
 */
export class LinearTransformation extends Transform {
  declare readonly transformationMatrix: Tensor;
  declare readonly meanVector: Tensor;

  constructor(transformationMatrix: Tensor, meanVector: Tensor) {
    linearTakes.check(new.target.name, arguments);
    const [rows, columns] = transformationMatrix.shape;
    if (transformationMatrix.ndim !== 2 || rows !== columns) {
      throw refusal(
        new.target.name,
        `transformationMatrix must be square, got [${transformationMatrix.shape.join(', ')}]`,
      );
    }
    if (meanVector.ndim !== 1 || meanVector.shape[0] !== rows) {
      throw refusal(
        new.target.name,
        `meanVector must be [${rows}] as the matrix is, got [${meanVector.shape.join(', ')}]`,
      );
    }
    super();
    this.registerBuffer('transformationMatrix', transformationMatrix, { persistent: false });
    this.registerBuffer('meanVector', meanVector, { persistent: false });
  }

  protected override transform(image: Tensor): Tensor {
    const { channels, height, width } = imageShape('LinearTransformation', image);
    const length = channels * height * width;
    if (length !== this.meanVector.shape[0]) {
      throw refusal('LinearTransformation', `image must have ${this.meanVector.shape[0]} values, got ${length}, in [${image.shape.join(', ')}]`); // prettier-ignore
    }
    const flat = image.reshape([-1, length]).sub(this.meanVector);
    return flat.mm(this.transformationMatrix).reshape(image.shape).to(image.dtype);
  }
}

/**
 * Images as they are. As `torchvision.transforms.v2.Identity`.
 *
 * @example
 * import { ones } from 'aiforge';
 * import * as transforms from 'aiforge/transforms';
 * new transforms.Identity().forward(ones([1, 1, 1])).item(); // 1
 */
export class Identity extends Transform {
  protected override transform(image: Tensor): Tensor {
    return image;
  }
}
