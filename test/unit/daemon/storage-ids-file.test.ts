/** The storage ids file, with the addresses of host names. */
import { expect, test } from "vitest";
import { readStorageIdsFile } from "#daemon/storage-ids-file.ts";
import { collectedLog } from "../../support/frame-fixture.ts";

const names: Readonly<Record<string, readonly string[]>> = {
  "one.example": ["fd00::1", "10.0.0.1"],
  "two.example": ["fd00::2"],
};

function read(text: string | undefined) {
  const { log, records } = collectedLog();
  const network = {
    resolve: async (name: string) => {
      const found = names[name];
      if (found === undefined) throw new Error("no such name");
      return found;
    },
  };
  const host = { readText: () => text };
  return { records, entries: readStorageIdsFile("/ids", { host, network, log }) };
}

test("host names get their addresses, IPv4 first, and an outer address stands second", async () => {
  const text = "2 group1 two.example\n1 group1 one.example\n3 group1 59.1.2.3,10.0.0.3\n";
  expect(await read(text).entries).toMatchObject([
    { id: "1", addresses: ["10.0.0.1"] },
    { id: "2", addresses: ["fd00::2"] },
    { id: "3", addresses: ["10.0.0.3", "59.1.2.3"] },
  ]);
});

test("a name without address, two addresses of one type, and no file are refused", async () => {
  await expect(read("1 group1 nobody.example").entries).rejects.toMatchObject({
    code: "storage-ids-invalid",
  });
  await expect(read("1 group1 10.0.0.1,10.0.0.2").entries).rejects.toMatchObject({
    code: "storage-ids-invalid",
  });
  await expect(read(undefined).entries).rejects.toThrow("there is no file /ids");
});

test("addresses that C FastDFS cannot read are warned of", async () => {
  const { entries, records } = read("1 group1 1.1.1.1");
  await entries;
  expect(records).toContainEqual(expect.objectContaining({ event: "storage-ids" }));
});
