import { registerHooks } from "node:module";

/**
 * seqc and tfjs-layers get the same copy of tfjs, the one that is installed here: copies share one global engine, and the kernels of the copy
 * that is loaded later would stay without their WebAssembly. Call before anything loads tfjs.
 */
export function shareTfjs(): void {
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier.startsWith("@tensorflow/")
        ? next(specifier, { ...context, parentURL: import.meta.url })
        : next(specifier, context),
  });
}
