// A variational autoencoder of binary images.
import { bernoulli, nn, optim, rand, randint, randnLike, type Tensor } from 'aiforge';

const { binaryCrossEntropyWithLogits } = nn.functional;

export function build({ size = 32, pixels = 784, hidden = 200, latent = 20 } = {}) {
  class VAE extends nn.Module {
    encoder = new nn.Sequential(new nn.Linear(pixels, hidden), new nn.ReLU());
    mean = new nn.Linear(hidden, latent);
    logvar = new nn.Linear(hidden, latent);
    decoder = new nn.Sequential(new nn.Linear(latent, hidden), new nn.ReLU(), new nn.Linear(hidden, pixels));

    forward(x: Tensor): [Tensor, Tensor, Tensor] {
      const h = this.encoder.forward(x);
      const [mean, logvar] = [this.mean.forward(h), this.logvar.forward(h)];
      const z = mean.add(randnLike(mean).mul(logvar.mul(0.5).exp()));
      return [this.decoder.forward(z), mean, logvar];
    }
  }

  const model = new VAE();
  const optimizer = new optim.Adam(model.parameters());
  const patterns = rand(10, pixels);

  const batch = () => [bernoulli(patterns.at(randint(10, [size])))];

  function loss(images: Tensor) {
    const [logits, mean, logvar] = model.forward(images);
    const reconstruction = binaryCrossEntropyWithLogits(logits, images, { reduction: 'sum' });
    const divergence = logvar.add(1).sub(mean.square()).sub(logvar.exp()).mul(-0.5).sum();
    return reconstruction.add(divergence).div(size);
  }

  return { model, optimizer, batch, loss };
}
