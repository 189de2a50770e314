/** Property tests of fast-check begin with the seed of the run (`run-seed.ts`). */
import fc from "fast-check";
import { runSeed } from "./run-seed.ts";

fc.configureGlobal({ seed: runSeed });
