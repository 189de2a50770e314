import { expect, test } from "vitest";
import { slotKey } from "#filestore/inventory/inventory-entry.ts";
import { formatAnswer, parseAnswer, searchBinlog } from "#filestore/worker/binlog-search.ts";
import { decodeBase } from "#model/file-id.ts";
import { commit, put, runSteps } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked } from "../../../support/packed-fixture.ts";

function opened() {
  const files = new MemoryFiles();
  files.makeDirectory("/disk");
  const { engine } = openPacking({ files, directory: "/disk" });
  const { layout } = engine.world;
  const parts = { files, directory: layout.sync, scratch: layout.tmp };
  return { files, engine, layout, search: (keys: string[]) => runSteps(searchBinlog(parts, keys)) };
}

test("names that were deleted, renamed, made, and never heard of are told from each other", () => {
  const { engine, search } = opened();
  const kept = put(engine, { kind: "normal", extension: "" }, "k".repeat(5000));
  const gone = put(engine, { kind: "normal", extension: "" }, "g".repeat(5000));
  commit(engine, engine.prepareRemove(gone));
  const appender = put(engine, { kind: "appender", extension: "" }, "a");
  const renamed = commit(engine, runSteps(engine.regenerate(appender)));
  const answers = search([kept, gone, appender, renamed, "M00/00/00/never-heard-of"]);
  expect(answers.map(({ kind }) => kind)).toEqual([
    "there",
    "deleted",
    "deleted",
    "there",
    "unknown",
  ]);
  engine.close();
});

test("a file that a crash took here was not deleted", () => {
  const { engine, search, files, layout } = opened();
  const [one, two] = [
    "M00/00/00/oQoAAmsDh9OIIrfSAAAABdsMogw362.txt",
    "M00/00/00/oQoAAmsDh9OIIrfSAAAABdsMogw363.txt",
  ] as const;
  const binlog = files.open(`${layout.sync}/binlog.000`, "append");
  files.write(binlog, Buffer.from(`7 C ${one}\n0 d ${one}\n7 c ${two}\n9 d ${two}\n0 d ${two}\n`));
  files.close(binlog);
  expect(search([one, two])).toEqual([{ kind: "unknown" }, { kind: "deleted", timestamp: 9 }]);
  engine.close();
});

test("a slot is known by the name of what was stored in it last", () => {
  const { engine, search } = opened();
  const names = [1, 2].map((at) => putPacked(engine, `packed ${at}`));
  const keys = names.map((name) => {
    const trunk = decodeBase(name.slice(10))?.trunk;
    return slotKey(trunk?.fileId ?? 0, trunk?.offset ?? 0);
  });
  const answers = search([...keys, slotKey(99, 0)]);
  expect(answers).toEqual([...names.map((name) => ({ kind: "name", name })), { kind: "unknown" }]);
  for (const answer of answers) expect(parseAnswer(formatAnswer(answer))).toEqual(answer);
  expect(parseAnswer("D12x")).toEqual({ kind: "unknown" });
  engine.close();
});
