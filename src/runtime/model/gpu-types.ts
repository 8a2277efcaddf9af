/*
 * What modules need to know of WebGPU, for those that carry its runtime: TypeScript's own declarations have it from version 6 on. Handles
 * that only go back to the device are objects. A device of any declarations fits.
 */

export interface GPU {
  requestAdapter(options?: { readonly powerPreference?: "high-performance" }): Promise<GPUAdapter | null>;
}

export type GPUFeatureName = never;

export interface GPUAdapter {
  readonly features: { has(name: string): boolean };
  readonly limits: Readonly<Record<GPULimit, number>>;
  readonly info: {
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
    readonly isFallbackAdapter: boolean;
  };
  requestDevice(descriptor?: {
    readonly requiredFeatures?: Iterable<GPUFeatureName>;
    readonly requiredLimits?: Readonly<Record<string, number>>;
  }): Promise<GPUDevice>;
}

export type GPULimit =
  | "maxBufferSize"
  | "maxStorageBufferBindingSize"
  | "maxStorageBuffersPerShaderStage"
  | "maxComputeWorkgroupStorageSize"
  | "maxComputeInvocationsPerWorkgroup"
  | "maxComputeWorkgroupSizeX"
  | "maxComputeWorkgroupSizeY"
  | "maxComputeWorkgroupSizeZ"
  | "maxComputeWorkgroupsPerDimension"
  | "maxUniformBufferBindingSize"
  | "minUniformBufferOffsetAlignment";

export interface GPUDevice {
  readonly limits: Readonly<Record<GPULimit, number>>;
  readonly lost: Promise<GPUDeviceLostInfo>;
  readonly queue: {
    submit(buffers: Iterable<object>): unknown;
    writeBuffer(buffer: GPUBuffer, offset: number, data: Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>): unknown;
  };
  createBuffer(descriptor: { readonly label?: string; readonly size: number; readonly usage: number }): GPUBuffer;
  createBindGroupLayout(descriptor: { readonly entries: Iterable<object> }): GPUBindGroupLayout;
  createBindGroup(descriptor: { readonly layout: object; readonly entries: Iterable<object> }): GPUBindGroup;
  createPipelineLayout(descriptor: { readonly bindGroupLayouts: Iterable<object | null | undefined> }): object;
  createShaderModule(descriptor: { readonly label?: string; readonly code: string }): object;
  createComputePipelineAsync(descriptor: {
    readonly label?: string;
    readonly layout: object | "auto";
    readonly compute: { readonly module: object };
  }): Promise<GPUComputePipeline>;
  createCommandEncoder(descriptor?: { readonly label?: string }): GPUCommandEncoder;
  pushErrorScope(filter: GPUErrorFilter): unknown;
  popErrorScope(): Promise<GPUError | null>;
  destroy(): unknown;
}

export interface GPUDeviceLostInfo {
  readonly reason: string;
  readonly message: string;
}

export type GPUErrorFilter = "validation" | "internal" | "out-of-memory";

export interface GPUError {
  readonly message: string;
}

export interface GPUBuffer {
  readonly size: number;
  mapAsync(mode: number): Promise<unknown>;
  getMappedRange(): ArrayBuffer;
  destroy(): unknown;
}

export type GPUBindGroupLayout = object;
export type GPUBindGroup = object;
export type GPUComputePipeline = object;

export interface GPUCommandEncoder {
  copyBufferToBuffer(source: GPUBuffer, start: number, target: GPUBuffer, targetStart: number, size: number): unknown;
  beginComputePass(descriptor?: { readonly label?: string }): {
    setPipeline(pipeline: GPUComputePipeline): unknown;
    setBindGroup(index: number, group: GPUBindGroup | null, offsets?: Iterable<number>): unknown;
    dispatchWorkgroups(x: number, y?: number): unknown;
    end(): unknown;
  };
  finish(): object;
}
