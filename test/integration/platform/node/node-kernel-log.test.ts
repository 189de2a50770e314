/** The kernel's log from its two sources. */
import { expect, test } from "vitest";
import type { Commands } from "#platform/commands.ts";
import {
  KernelJournal,
  KernelRing,
  nodeKernelLog,
  parseJournal,
  parseKernelRecord,
} from "#platform/node/node-kernel-log.ts";
import { needs, root } from "../../../support/needs.ts";

test("a record of the ring tells its line and when", () => {
  const record = "3,30594,5000000,-;I/O error, dev sda, sector 8\n SUBSYSTEM=block\n";
  expect(parseKernelRecord(record, 1000)).toEqual({
    text: "I/O error, dev sda, sector 8",
    atSeconds: 1005,
  });
});

test("what programs wrote into the ring is not the kernel's", () => {
  expect(parseKernelRecord("30,1,5,-;I/O error, dev sda, sector 8", 0)).toBeUndefined();
  expect(parseKernelRecord("nonsense", 0)).toBeUndefined();
});

test("a journal's lines are read, and the place to go on from", () => {
  const entry = (MESSAGE: unknown, cursor: string) =>
    JSON.stringify({ MESSAGE, __CURSOR: cursor, __REALTIME_TIMESTAMP: "5000000" });
  const text = `${entry("one", "a")}\nnonsense\n{\n${entry([1, 2], "b")}\n`;
  expect(parseJournal(text)).toEqual({ messages: [{ text: "one", atSeconds: 5 }], cursor: "b" });
});

test("the journal is asked for the last day first, and then for what came since", async () => {
  const asked: string[] = [];
  const commands: Commands = {
    run: async (_program, parameters) => {
      asked.push(parameters.at(-1) ?? "");
      const line = JSON.stringify({ MESSAGE: "x", __CURSOR: "c", __REALTIME_TIMESTAMP: "0" });
      return { code: 0, stdout: line, stderr: "" };
    },
  };
  const journal = new KernelJournal(commands);
  await journal.take();
  expect(await journal.take()).toEqual([{ text: "x", atSeconds: 0 }]);
  expect(asked).toEqual(["--since=-1d", "--after-cursor=c"]);
});

test("without any journal nothing is known", async () => {
  const journal = new KernelJournal({ run: () => Promise.reject(new Error("command-missing")) });
  expect(await journal.take()).toBeUndefined();
  const failing = new KernelJournal({ run: async () => ({ code: 1, stdout: "", stderr: "" }) });
  expect(await failing.take()).toBeUndefined();
});

needs(root())("the ring of this machine is read without waiting for more", async () => {
  const ring = new KernelRing(() => Date.now());
  const first = ring.take();
  const log = nodeKernelLog({ run: () => Promise.reject(new Error("none")) }, () => Date.now());
  expect(first === undefined).toBe((await log.take()) === undefined);
  const nowSeconds = Date.now() / 1000;
  expect((first ?? []).every(({ atSeconds }) => atSeconds <= nowSeconds + 5)).toBe(true);
});
