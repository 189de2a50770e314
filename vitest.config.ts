/**
 * Every test of the repository, one project a folder of `test/`. Sized for two cores: at most two processes at once, and one
 * where a test starts processes or whole nodes of its own. `unit`, `tidy` and `fuzz` are pure and run in threads; whatever
 * opens databases, sockets or worker threads gets a process a file, so that a thread that hangs takes only its file with it.
 *
 * Suites whose tests depend on real time (`integration`, `e2e`, `vm`) try a failed test once more, and the run says at its end
 * which passed at the second try: such a line is a defect to look at, in the test or in the product. What is pure, and what
 * looks for lost data at random, is never tried again.
 */
import { defineConfig } from "vitest/config";
import { RunReporter } from "./test/support/run-reporter.ts";

const seconds = 1000;

/** Pure tests: threads start faster than processes. */
function pure(name: string, testTimeout: number) {
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      pool: "threads" as const,
      testTimeout,
      setupFiles: ["test/support/property-setup.ts"],
    },
  };
}

/** Tests with effects: a process a file. `alone` runs one file at a time, `retry` is how often a failed test is tried again. */
function effectful(name: string, testTimeout: number, alone: boolean, retry = 0) {
  const include = [`test/${name}/**/*.test.ts`];
  const limits = { testTimeout, hookTimeout: testTimeout, retry };
  const common = { name, include, pool: "forks" as const, ...limits };
  const setupFiles = ["test/support/property-setup.ts"];
  return { extends: true as const, test: { ...common, setupFiles, fileParallelism: !alone } };
}

const fuzz = pure("fuzz", 60 * seconds);

export default defineConfig({
  test: {
    maxWorkers: 2,
    teardownTimeout: 10 * seconds,
    reporters: ["default", new RunReporter()],
    projects: [
      pure("unit", 30 * seconds),
      pure("tidy", 60 * seconds),
      { ...fuzz, test: { ...fuzz.test, setupFiles: ["test/support/fuzz-setup.ts"] } },
      effectful("integration", 60 * seconds, false, 1),
      effectful("simulation", 60 * seconds, false),
      effectful("conformance", 120 * seconds, true),
      effectful("e2e", 120 * seconds, true, 1),
      effectful("cluster", 1800 * seconds, true),
      effectful("crash", 1800 * seconds, true),
      effectful("walk", 1800 * seconds, true),
      effectful("image", 600 * seconds, true),
      effectful("vm", 600 * seconds, true, 1),
    ],
  },
});
