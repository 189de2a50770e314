import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { openExpanded } from "#filestore/binlog/expanded-binlog.ts";
import { runSteps } from "../../../support/engine-fixture.ts";
import { MemoryFiles } from "../../../support/memory-files.ts";

function setUp(content: Uint8Array) {
  const files = new MemoryFiles("/scratch");
  const descriptor = files.open("/scratch/a.gz", "create");
  files.write(descriptor, content);
  files.close(descriptor);
  return { files, open: () => openExpanded(files, "/scratch/a.gz", "/scratch/a") };
}

test("the content can be read, and has no name", () => {
  const { files, open } = setUp(gzipSync("x".repeat(100_000)));
  const [one, other] = [open(), open()];
  // Two at once have names of their own while they are expanded.
  for (const each of [one, other]) expect(each.next().done).toBe(false);
  expect(files.list("/scratch")?.sort()).toEqual(["a.0", "a.1", "a.gz"]);
  for (const each of [one, other]) {
    const descriptor = runSteps(each);
    expect(files.statDescriptor(descriptor).sizeBytes).toBe(100_000);
    files.close(descriptor);
  }
  expect([files.list("/scratch"), files.openFiles]).toEqual([["a.gz"], 0]);
});

test("what cannot be expanded is told with what to do; a failing disk by itself", () => {
  const { files, open } = setUp(Buffer.from("no gzip at all"));
  expect(() => runSteps(open())).toThrow(/EINVAL.*; put a good copy in its place, or take it away/);
  files.expand = (_from, _to, maxBytes) => {
    expect(maxBytes).toBe(2 * 1024 ** 3);
    const failing = files.open.bind(files, "/scratch/none", "read");
    return { step: () => failing() > 0, stop: () => {} };
  };
  expect(() => runSteps(open())).not.toThrow("put a good copy");
  expect(files.list("/scratch")).toEqual(["a.gz"]);
});
