/** What the benchmark uses of TensorFlow.js, which is not a dependency: it is installed beside the other peers. */

export type Backend = 'native' | 'WebAssembly'

export type Tensor = { data(): Promise<Float32Array>; dispose(): void }

export type TensorFlowModel = {
  setWeights(weights: readonly Tensor[]): void
  compile(options: { readonly loss: string; readonly optimizer: unknown }): void
  trainOnBatch(x: Tensor, y: Tensor): Promise<number>
  predictOnBatch(x: Tensor): Tensor
}

export type TensorFlow = {
  readonly version: { readonly tfjs: string }
  readonly layers: { readonly Layer: new (options: unknown) => object }
  readonly serialization: { registerClass(kind: unknown): void }
  readonly models: { modelFromJSON(json: { readonly modelTopology: unknown }): Promise<TensorFlowModel> }
  readonly train: {
    sgd(rate: number): unknown
    momentum(rate: number, momentum: number, nesterov: boolean): unknown
    rmsprop(rate: number, decay: number, momentum: number, epsilon: number): unknown
    adam(rate: number, beta1: number, beta2: number, epsilon: number): unknown
    adadelta(rate: number, rho: number, epsilon: number): unknown
  }
  setBackend(name: string): Promise<boolean>
  tensor(values: Float32Array, shape: readonly number[]): Tensor
  sub(a: Tensor, b: Tensor): Tensor
  disposeVariables(): void
}
