/** How Node is started for the program, however that is packed. */

/**
 * Half of the memory of a node under load was garbage that waited for its collection: V8 lets each thread have up to 48 MiB of young
 * objects. With a quarter of that, 300,000 uploads took no longer, and the peak went from 349 to 239 MiB (`test/bench/README.md`).
 */
export const runtimeFlags: readonly string[] = ["--max-semi-space-size=4"];
