/** Requests about scrubs, as the worker's loop answers them: what is none is refused, and orders reach the scrub. */
import { expect, test } from "vitest";
import { request } from "#filestore/worker-messages.ts";
import { LoopStage } from "../../../../support/loop-stage.ts";
import { MemoryFiles } from "../../../../support/memory-files.ts";

function stage() {
  const files = new MemoryFiles("/disk");
  const loop = new LoopStage({ files, directory: "/disk" });
  let id = 100;
  const ask = (kind: number, text = "", text2 = "") => {
    id += 1;
    const block = kind === request.fileRecord ? 1 : -1;
    loop.send(id, { kind, text, text2, block, b: 3 });
    return loop.settle().find((answer) => answer.id === id);
  };
  return { loop, ask };
}

test("orders reach the scrub, and what is no order, judgement or settlement is refused", () => {
  const { loop, ask } = stage();
  expect(ask(request.scrubOrder, "start")).toMatchObject({ failed: false });
  expect(loop.engine.scrub.report(1).begunAt).toBeGreaterThan(0);
  expect(ask(request.scrubOrder, "explode")).toMatchObject({ failed: true, text: "file-invalid" });
  expect(ask(request.scrubSettle, "00/00/a", "eaten")).toMatchObject({ text: "file-invalid" });
  expect(ask(request.scrubSettle, "00/00/a", "dropped")).toMatchObject({ failed: false });
  expect(ask(request.scrubJudge, "../../etc/passwd")).toMatchObject({ text: "file-invalid" });
  const name = "M00/00/00/CgkAAmsDoW-Aa8rXAAAABTYQpoY625.txt";
  expect(ask(request.scrubJudge, name)).toMatchObject({ failed: false, text: "missing" });
  expect(ask(request.scrubJudge, "00/00/000001@5")).toMatchObject({ text: "strange" });
  expect(ask(request.fileRecord, name)).toMatchObject({
    failed: true,
    text: "file-missing",
  });
});
