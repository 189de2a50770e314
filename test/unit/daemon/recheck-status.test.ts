/** What people and monitors are told about files that may have been lost. */
import { expect, test } from "vitest";
import { MetricRegistry } from "#base/metrics.ts";
import { recheckProblem, registerRechecks } from "#daemon/recheck-status.ts";
import type { FileStore, StorePathReport } from "#filestore/file-store.ts";
import type { RecheckFacts } from "#filestore/recheck-facts.ts";
import { parseOpenMetrics } from "../../support/open-metrics.ts";

const facts: RecheckFacts = {
  ...{ why: "power-cut", state: "running", percent: 34, lost: 2, examples: ["M00/a", "M00/b"] },
};
const at = (recheck: RecheckFacts | undefined) => ({ index: 1, directory: "/srv", recheck });

test("what is in doubt, and what is lost for good, is said in words", () => {
  expect(recheckProblem(at(undefined))).toBe(undefined);
  expect(recheckProblem(at(facts))).toBe(
    "Store path 1 (/srv): the last end was not orderly, so its files are looked at again, 34 % done, 2 lost so far (such as M00/a, M00/b). They are served meanwhile, each after a look at it.",
  );
  const done = { ...facts, why: "binlog-lost", state: "done", lost: 0, examples: [] } as const;
  expect(recheckProblem(at(done))).toBe(
    "Store path 1 (/srv): the end of its log is gone; 0 lost so far. What the other storages have is fetched from them.",
  );
  expect(recheckProblem(at({ ...facts, state: "settled" }))).toBe(
    "Store path 1 (/srv) has lost 2 files (such as M00/a, M00/b), and no other storage has them: /srv/data/.cairn/lost-files names them, and what is left of them is in /srv/data/.cairn/aside.",
  );
});

test("monitors see that files are in doubt, and how many are lost", () => {
  const registry = new MetricRegistry();
  let recheck: RecheckFacts | undefined = facts;
  const store = {
    get paths() {
      return [{ index: 0, recheck } as StorePathReport];
    },
  } as unknown as FileStore;
  registerRechecks(registry, store);
  const samples = () => {
    const families = parseOpenMetrics(registry.render("openmetrics"));
    const names = ["filestore_path_in_doubt", "filestore_path_lost_files"];
    return names.map((name) => families.get(name)?.samples[0]?.value);
  };
  expect(samples()).toEqual([1, 2]);
  recheck = { ...facts, state: "settled", lost: 1 };
  expect(samples()).toEqual([0, 1]);
  recheck = undefined;
  expect(samples()).toEqual([0, 0]);
});
