/**
 * Sets how many values the property tests of `test/fuzz` try. `npm test` runs few of them; `.ci/run` asks for more through
 * `CAIRN_FUZZ_RUNS`. A failure prints its seed; `CAIRN_FUZZ_SEED` runs that one again.
 */
import fc from "fast-check";

const runs = Number(process.env.CAIRN_FUZZ_RUNS ?? 200);
const seed = process.env.CAIRN_FUZZ_SEED;

fc.configureGlobal({ numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) });
