/** Receipts, as the command line shows them. */
import { expect, test } from "vitest";
import type { ReceiptCopy } from "#control/operations/files.ts";
import { FakeDaemon } from "../../../support/fake-daemon.ts";
import { TestWorld } from "../../../support/test-world.ts";

const id = "group1/M00/00/00/CgkAAmsDoW-Aa8rXAAAABTYQpoY625.txt";
const held: ReceiptCopy = {
  ...{ storage: "10.9.0.2", own: true, software: "cairn", state: "holds", storePath: 0 },
  ...{ directory: "/srv/disk0", sizeBytes: 5, crc32: "00000007", crcFrom: "name" },
  ...{ flushedAt: 1_700_000_000, verifiedAt: 1_700_000_100 },
};
const silent: ReceiptCopy = {
  ...{ storage: "10.9.0.3", own: false, software: "cairn", state: "silent" },
  problem: "no answer within 5 s",
};

test("a table tells who holds the file, since when, and who did not answer", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  const copies = [held, { ...held, own: false, verifiedAt: undefined }, silent];
  daemon.receipt = { id, says: "In a sentence.", copies };
  const { code, text } = await world.run("receipt", id, "--socket", "sock");
  expect(code).toBe(0);
  expect(text).toMatch(/^In a sentence\.$/m);
  expect(text).toMatch(/^10\.9\.0\.2 \(here\) +holds +0 \/srv\/disk0 .* 5 +00000007 +2023/m);
  expect(text).toMatch(/not yet/);
  expect(text).toMatch(/^10\.9\.0\.3 +silent +no answer within 5 s$/m);
  const json = await world.run("receipt", id, "--read", "--json", "--socket", "sock");
  expect(JSON.parse(json.text)).toMatchObject({
    id: `${id} read`,
    copies: [{ crc32: "00000007" }, {}, {}],
  });
});

test("a file that nobody holds, and copies that are damaged or not the same, show in the exit code", async () => {
  const world = new TestWorld();
  await using daemon = await FakeDaemon.start(world.path("sock"));
  const codeOf = async (...copies: ReceiptCopy[]) => {
    daemon.receipt = { id, says: "x", copies };
    return (await world.run("receipt", id, "--socket", "sock")).code;
  };
  expect(await codeOf(silent)).toBe(66);
  expect(await codeOf(held, { ...held, crc32: "00000008" })).toBe(65);
  expect(await codeOf(held, { ...held, state: "damaged" })).toBe(65);
});
