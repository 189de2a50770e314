/** Standard input as content of known length. */
import { expect, test } from "vitest";
import { maxSpooledInMemory, spoolInput } from "#cli/transfer/spool.ts";
import { collect, flowOfSource } from "#net/byte-flow.ts";
import type { LocalFile } from "#platform/local-files.ts";
import { TestWorld } from "../../../support/test-world.ts";

const { signal } = new AbortController();

for (const [what, portions] of [
  ["nothing", []],
  ["little", ["ab", "", "c"].map((text) => Buffer.from(text))],
  ["as much as fits", [Buffer.alloc(maxSpooledInMemory, 1)]],
  ["more", Array.from({ length: 33 }, (_, at) => Buffer.alloc(maxSpooledInMemory / 32, at))],
] as const) {
  test(`${what} can be read twice`, async () => {
    const world = new TestWorld();
    world.terminal.input = portions;
    let files = 0;
    const real = world.files;
    world.files = {
      ...real,
      openTemporary: () => {
        files += 1;
        return real.openTemporary();
      },
    };
    await using spooled = await spoolInput(world, signal);
    const expected = Buffer.concat(portions);
    expect(spooled.content.length).toBe(expected.length);
    for (let round = 0; round < 2; round += 1) {
      const read = await collect(flowOfSource(spooled.content.open()));
      expect(read.equals(expected)).toBe(true);
    }
    expect(files).toBe(expected.length > maxSpooledInMemory ? 1 : 0);
  });
}

test("an interrupt ends it, and closes the temporary file", async () => {
  const world = new TestWorld();
  const abort = new AbortController();
  let closed = 0;
  world.files = {
    ...world.files,
    openTemporary: async () =>
      ({
        write: async () => abort.abort(new Error("enough")),
        close: async () => {
          closed += 1;
        },
      }) as unknown as LocalFile,
  };
  world.terminal.input = [Buffer.alloc(maxSpooledInMemory), Buffer.alloc(5), Buffer.alloc(5)];
  await expect(spoolInput(world, abort.signal)).rejects.toThrow("enough");
  expect(closed).toBe(1);
});
