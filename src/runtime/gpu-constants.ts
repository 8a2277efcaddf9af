/* Numbers of the WebGPU specification: a device may come without the global names of them. */

/** What a buffer is for (GPUBufferUsage). */
export const MAP_READ = 0x0001;
export const COPY_SRC = 0x0004;
export const COPY_DST = 0x0008;
export const UNIFORM = 0x0040;
export const STORAGE = 0x0080;

/** GPUMapMode.READ and GPUShaderStage.COMPUTE. */
export const MODE_READ = 1;
export const STAGE_COMPUTE = 4;
