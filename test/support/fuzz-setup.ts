/**
 * Sets how many values the property tests of `test/fuzz` try. `npm test` runs few of them; `.ci/run` asks for more through
 * `CAIRN_FUZZ_RUNS`.
 */
import fc from "fast-check";
import { runSeed } from "./run-seed.ts";

fc.configureGlobal({ numRuns: Number(process.env.CAIRN_FUZZ_RUNS ?? 200), seed: runSeed });
