import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { binlogStart } from "#filestore/binlog/position.ts";
import { PathNames } from "#filestore/worker/path-names.ts";
import { commit, put, runSteps } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";
import { openPacking, putPacked } from "../../../support/packed-fixture.ts";
import { TroubledFiles } from "../../../support/troubled-files.ts";

test("what is there is listed as created, what is gone is not, links are told as links", () => {
  const files = new MemoryFiles();
  files.makeDirectory("/disk");
  const { engine } = openPacking({ files, directory: "/disk" });
  const { layout } = engine.world;
  const kept = put(engine, { kind: "normal", extension: "" }, "k".repeat(5000));
  const gone = put(engine, { kind: "normal", extension: "" }, "g".repeat(5000));
  commit(engine, engine.prepareRemove(gone));
  const packed = putPacked(engine, "packed");
  const appender = put(engine, { kind: "appender", extension: "" }, "a");
  const renamed = commit(engine, runSteps(engine.regenerate(appender)));
  const link = `${kept.slice(0, 10)}oQoAAmsDh9OIIrfSAAAABdsMogw363.txt`;
  files.makeLink(`${layout.data}/${link.slice(4)}`, `${layout.data}/${kept.slice(4)}`);
  const binlog = files.open(`${layout.sync}/binlog.000`, "append");
  files.write(binlog, Buffer.from(`7 l ${link} ${kept}\nno record\n`));
  files.close(binlog);
  const parts = { binlog: { files, directory: layout.sync, scratch: layout.tmp }, layout };
  const names = new PathNames(parts);
  const page = runSteps(names.page(binlogStart));
  const told = page.lines.split("\n").map((line) => line.replace(/^\d+ /, ""));
  expect(told).toEqual([`C ${kept}`, `C ${packed}`, `C ${renamed}`, `l ${link} ${kept}`, ""]);
  expect(page.atEnd).toBe(false);
  expect(runSteps(names.page(page.next))).toMatchObject({ lines: "", atEnd: true });
  engine.close();
});

test("a compressed binlog is expanded once for all pages of one who goes on, in steps", () => {
  const files = new MemoryFiles();
  files.makeDirectory("/disk");
  const { engine } = openPacking({ files, directory: "/disk" });
  const { layout } = engine.world;
  engine.close();
  const text = `7 C M00/00/00/${"x".repeat(30)}\n`.repeat(10_000);
  const compressed = files.open(`${layout.sync}/binlog.000.gz`, "create");
  files.write(compressed, gzipSync(text));
  files.close(compressed);
  files.rename(`${layout.sync}/binlog.000`, `${layout.sync}/binlog.001`);
  const troubled = new TroubledFiles(files);
  const binlog = { files: troubled.files, directory: layout.sync, scratch: layout.tmp };
  const names = new PathNames({ binlog, layout });
  troubled.arm({ kind: "none" });
  const read = (from = binlogStart) => {
    let steps = 0;
    const page = names.page(from);
    for (;;) {
      const step = page.next();
      if (step.done === true) return { ...step.value, steps };
      steps += 1;
    }
  };
  const stepsOfPages: number[] = [];
  for (let page = read(); !page.atEnd; page = read(page.next)) stepsOfPages.push(page.steps);
  expect(stepsOfPages.length).toBeGreaterThan(5);
  expect(stepsOfPages[0]).toBeGreaterThan(5);
  expect(stepsOfPages.slice(1).every((steps) => steps === 0)).toBe(true);
  expect(troubled.trace.filter((call) => call === "expand").length).toBe(1);
  read();
  names.close();
  expect([files.openFiles, files.list(layout.tmp)]).toEqual([0, []]);
});
