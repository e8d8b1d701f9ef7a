import { nn, ones, optim, type Tensor } from 'aiforge';
import { expect } from 'chai';

abstract class Model extends nn.Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}

const invalid = (attempt: () => unknown, message: RegExp): void => {
  expect(attempt).to.throw(message).with.property('code', 'INVALID_ARGUMENT');
};

describe('a member in a #private field', () => {
  it('that a module made and that learns is an error wherever it would be left out', () => {
    class Hiding extends Model {
      visible = new nn.Linear(2, 2);
      #hidden = new nn.Linear(2, 2);
      override forward(x: Tensor): Tensor {
        return this.#hidden.forward(x);
      }
    }
    const message = /Hiding: its field #hidden is a Linear that learns.*Declare it `private hidden` or `hidden`/;
    invalid(() => [...new Hiding().parameters()], message);
    invalid(() => new optim.SGD(new Hiding().parameters(), { lr: 0.1 }), message);
    invalid(() => new Hiding().stateDict(), message);
    invalid(() => [...new nn.Sequential(new nn.ReLU(), new Hiding()).namedParameters()], message);
  });

  it('may be a parameter too, or be set later', () => {
    class Scaled extends Model {
      #scale = new nn.Parameter(ones([1]));
      get scale(): Tensor {
        return this.#scale;
      }
    }
    invalid(() => [...new Scaled().parameters()], /#scale is a Parameter that learns/);
    class Late extends Model {
      #layer: nn.Module | undefined;
      constructor() {
        super();
        this.#layer = new nn.Linear(1, 1);
      }
      get layer(): nn.Module | undefined {
        return this.#layer;
      }
    }
    invalid(() => new Late().stateDict(), /#layer/);
  });

  it('may be there when it was given, does not learn, or is a member elsewhere', () => {
    class Student extends Model {
      readonly own = new nn.Linear(2, 2);
      readonly #teacher: nn.Module;
      readonly #frozen = new nn.Linear(2, 2).requiresGrad_(false);
      readonly #loss = new nn.MSELoss();
      readonly #layers = [1, 2];
      readonly #shared = new nn.Linear(2, 2);
      readonly list = new nn.ModuleList([this.#shared]);
      constructor(teacher: nn.Module) {
        super();
        this.#teacher = teacher;
      }
      get all(): unknown[] {
        return [this.#teacher, this.#frozen, this.#loss, this.#layers];
      }
    }
    const student = new Student(new nn.Linear(2, 2));
    expect([...student.parameters()]).to.have.length(4);
    expect(student.all).to.have.length(4);
  });

  it('leaves an optimizer with an error that says where parameters are seen', () => {
    class Empty extends Model {}
    invalid(() => new optim.AdamW(new Empty().parameters()), /AdamW: the list of parameters is empty.*#private field/);
  });
});
