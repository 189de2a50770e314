/** Functions of the C library by `node:ffi`, an experiment of Node 26: everything that uses them has another way. */

/** The part of `node:ffi` that is used here. */
export interface Ffi {
  dlopen(library: null, signatures: object): { readonly functions: unknown };
  getRawPointer(memory: ArrayBufferLike): bigint;
}

export interface FoundFunctions<Functions> {
  readonly ffi: Ffi;
  readonly functions: Functions;
}

/** `signatures` must be those of `Functions`. Undefined where this runtime has no `node:ffi`, or is no Linux, whose numbers callers use. */
export function linuxFunctions<Functions>(
  signatures: Readonly<Record<keyof Functions, object>>,
): FoundFunctions<Functions> | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const found: unknown = withoutItsWarning(() => process.getBuiltinModule("node:ffi"));
    if (found === undefined) return undefined;
    const ffi = found as Ffi;
    return { ffi, functions: ffi.dlopen(null, signatures).functions as Functions };
  } catch {
    // An experiment of the runtime may change or go: then everything takes the other way.
    return undefined;
  }
}

/** An operator can do nothing about the module being experimental; every other warning is passed on. */
function withoutItsWarning<Result>(load: () => Result): Result {
  const emit = process.emitWarning;
  process.emitWarning = (...warning: unknown[]): void => {
    if (warning[1] === "ExperimentalWarning" && String(warning[0]).startsWith("FFI ")) return;
    Reflect.apply(emit, process, warning);
  };
  try {
    return load();
  } finally {
    process.emitWarning = emit;
  }
}
