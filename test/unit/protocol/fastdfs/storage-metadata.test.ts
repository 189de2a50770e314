import { expect, test } from "vitest";
import { storageMetadata } from "#protocol/fastdfs/storage-metadata.ts";
import { body, decoded } from "../../../support/wire-bytes.ts";

const { setMetadata, getMetadata } = storageMetadata;
const set = (flag: string, lengths: readonly [number, number], rest: string) =>
  body({ i64: lengths[0] }, { i64: lengths[1] }, flag, ["group1", 16], rest);

test("metadata is replaced or merged, by a flag", () => {
  const request = (flag: string) => decoded(setMetadata.request, set(flag, [4, 3], "namea\x02b"));
  expect(request("O")).toMatchObject({ mode: "overwrite", group: "group1", filename: "name" });
  expect(request("M").mode).toBe("merge");
  expect(Buffer.from(request("M").metadata).toString()).toBe("a\x02b");
  expect(() => request("X")).toThrow("88 is not a metadata flag");
});

test("the lengths fill the body exactly", () => {
  const refused = [
    set("O", [4, 4], "namea\x02b"),
    set("O", [4, 2], "namea\x02b"),
    set("O", [0, 3], "a\x02b"),
  ];
  for (const bytes of refused) expect(() => decoded(setMetadata.request, bytes)).toThrow("bytes");
  expect(() => decoded(setMetadata.request, set("O", [128, 0], "n".repeat(128)))).toThrow(
    "128 bytes",
  );
});

test("metadata comes back as it lies, also none", () => {
  expect(decoded(getMetadata.reply, body("\xff\x02\xfe")).metadata).toEqual(
    Buffer.from([255, 2, 254]),
  );
  expect(decoded(getMetadata.reply, body()).metadata).toHaveLength(0);
});
