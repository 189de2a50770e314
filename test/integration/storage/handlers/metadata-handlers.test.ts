/** Metadata of files, through sockets; the engine behind is a fake. */
import { expect, test } from "vitest";
import { sourceOfBytes } from "#net/byte-flow.ts";
import { uploadFile } from "#protocol/fastdfs/storage-files.ts";
import { getMetadata, setMetadata } from "#protocol/fastdfs/storage-metadata.ts";
import { storageStage } from "../../../support/storage-stage.ts";

test("metadata is set and got as bytes, and refused where group or file are not ours", async () => {
  await using stage = await storageStage();
  const client = await stage.client();
  const request = { storePathIndex: 255, fileSize: 1, extension: "" };
  const { filename } = await client.upload(uploadFile, request, sourceOfBytes(Buffer.of(1)));
  const file = { group: "group1", filename };
  await expect(client.call(getMetadata, file)).rejects.toMatchObject({ status: 2 });
  const metadata = Buffer.from("width\x021024\x01title\x02gr\xfc\xdfe", "latin1");
  await client.call(setMetadata, { ...file, mode: "overwrite", metadata });
  const got = await client.call(getMetadata, file);
  expect(Buffer.from(got.metadata)).toEqual(metadata);
  const missing = { group: "group1", filename: "M00/00/00/none-such" };
  await expect(client.call(getMetadata, missing)).rejects.toMatchObject({ status: 2 });
  const setting = client.call(setMetadata, { ...missing, mode: "merge", metadata });
  await expect(setting).rejects.toMatchObject({ status: 2 });
  const foreign = client.call(getMetadata, { ...file, group: "group2" });
  await expect(foreign).rejects.toMatchObject({ status: 22 });
});

test("metadata as long as a request may be comes back whole", async () => {
  await using stage = await storageStage();
  const client = await stage.client();
  const request = { storePathIndex: 255, fileSize: 0, extension: "" };
  const { filename } = await client.upload(uploadFile, request, sourceOfBytes(Buffer.alloc(0)));
  const file = { group: "group1", filename };
  const metadata = Buffer.alloc(262_144 - 1 - 10 - 33 - filename.length, "x");
  await client.call(setMetadata, { ...file, mode: "overwrite", metadata });
  expect((await client.call(getMetadata, file)).metadata.length).toBe(metadata.length);
  const longer = Buffer.alloc(metadata.length + 1, "x");
  const setting = client.call(setMetadata, { ...file, mode: "overwrite", metadata: longer });
  await expect(setting).rejects.toMatchObject({ status: 22 });
});
