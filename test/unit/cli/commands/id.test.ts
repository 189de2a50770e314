/** What ids say, by the worked examples of the protocol document (§3.11). */
import { expect, test } from "vitest";
import { TestWorld } from "../../../support/test-world.ts";

const normal = "group1/M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin";

test("a normal file, for people", async () => {
  const { code, text } = await new TestWorld().run("id", normal);
  expect(code).toBe(0);
  expect(text).toBe(
    [
      `file id     ${normal}`,
      "group       group1",
      "kind        normal file",
      "stored by   10.9.0.2",
      "time        2026-11-23 01:02:50 UTC (1795395770), when the upload ended",
      "size        2097152 bytes (2.0 MiB)",
      "CRC-32      17398970",
      "extension   bin",
      "store path  M01 (store_path1)",
      "on disk     <store path>/data/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin",
      "",
    ].join("\n"),
  );
});

test.each([
  [
    "group1/M00/00/00/CgkAAmsDkLqIH5yJAAAAET4JJJwAAAAAQAAAAAAAAEA362.txt",
    {
      kind: "trunk",
      sizeBytes: 17,
      crc32: "3e09249c",
      trunk: { fileId: 1, offset: 0, size: 256 },
      path: "data/00/00/000001",
    },
  ],
  [
    "M00/00/00/CgkAAmsDkLqEaconAAAAADUkQcI579.log",
    {
      group: null,
      filename: "M00/00/00/CgkAAmsDkLqEaconAAAAADUkQcI579.log",
      kind: "appender",
      sizeBytes: null,
      crc32IsOfContent: false,
    },
  ],
  [
    "group1/M00/00/00/ooYBAGsDk6aAHitOAAAACDm-hlI252.txt",
    { sourceAddress: null, sourceId: "100002", sizeBytes: 8 },
  ],
  [
    "group1/M01/00/00/CgkAAmsDkLqADHp4ACAAABc5iXA711_150x150.jpg",
    { kind: "slave", sizeBytes: null, extension: "jpg", crc32IsOfContent: false },
  ],
  ["group1/M00/00/00/wKgBCmVT8QAAAAABQAAAe96tvu8", { sizeBytes: 5 * 2 ** 30 + 123 }],
])("%s", async (fileId, expected) => {
  const world = new TestWorld();
  expect(await world.json("id", fileId)).toMatchObject({ files: [{ fileId, ...expected }] });
  expect((await world.run("id", fileId)).text).toContain(fileId);
});

test("what is no id is wrong usage, and says which part", async () => {
  const world = new TestWorld();
  for (const [text, why] of [
    ["hello", "a group, Mxx"],
    ["group1/M00/00/00/../../etc/passwd", "a group, Mxx"],
    ["group1/M00/00/00/tooshort.txt", "27 characters of base64"],
    ["group1/M00/00/0G/CgkAAmsDkLqADHp4ACAAABc5iXA711.bin", "hexadecimal"],
  ] as const) {
    const { code, errors } = await world.run("id", normal, text);
    expect([code, errors.includes(why)]).toEqual([2, true]);
  }
});
