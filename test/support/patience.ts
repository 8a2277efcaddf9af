/**
 * The package `webgpu` asks again and again, as often as `setImmediate` comes round, whether the device is done. Where the device is a
 * processor too, that takes a core from it: from here on the package asks once a millisecond.
 */
export function askInPauses(): void {
  const immediate = globalThis.setImmediate;
  const patient = (callback: (...args: unknown[]) => void, ...args: unknown[]): unknown =>
    isNative(callback) ? setTimeout(callback, 1, ...args) : immediate(callback, ...args);
  Object.defineProperty(globalThis, "setImmediate", { value: Object.assign(patient, immediate), configurable: true });
}

/** Whether a function is part of an add-on to Node. */
function isNative(callback: unknown): boolean {
  return /^function *\w*\(\) \{ \[native code\] \}$/.test(Function.prototype.toString.call(callback));
}
