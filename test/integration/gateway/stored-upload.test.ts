/** One payload, stored and described. */
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { Log, type LogRecord } from "#base/log.ts";
import { UploadFlow } from "#gateway/bounded-body.ts";
import { LocalFileSource } from "#gateway/local-file-source.ts";
import { describeUpload, discardUploads, storeUpload } from "#gateway/stored-upload.ts";
import { nodeClock } from "#platform/node/node-clock.ts";
import { chunkedBody } from "../../support/chunked-body.ts";
import { gatewayDefaults, group } from "../../support/gateway-fixture.ts";
import { MemoryFileStore } from "../../support/memory-file-store.ts";
import { seededRandom } from "../../support/seeded-random.ts";

const wanted = { group, kind: "normal", extension: "txt", slave: undefined } as const;

function make() {
  const store = new MemoryFileStore();
  const logged: LogRecord[] = [];
  const services = {
    settings: gatewayDefaults,
    files: new LocalFileSource(store, group),
    clock: nodeClock,
    random: seededRandom(1),
    log: new Log("gateway", (record) => logged.push(record)),
    elsewhere: undefined,
  };
  return { store, services, logged };
}

function flowOf(text: string, breaks = false): UploadFlow {
  const body = chunkedBody(Buffer.from(text), { chunkBytes: 3, breaks });
  return new UploadFlow(body, { length: 0, lengthIsEstimate: true, maxBytes: 100 });
}

test("what was stored is described by its size and sum", async () => {
  const { services } = make();
  const upload = await storeUpload(services, flowOf("content"), wanted);
  expect([upload.sizeBytes, upload.crc32]).toEqual([7, crc32("content")]);
  const { group: named, name } = upload.address;
  expect(describeUpload(upload, "https://host")).toMatchObject({
    file_id: `${named}/${name}`,
    url: `https://host/${named}/${name}`,
  });
});

test("why the payload broke is told, not what the store made of it", async () => {
  const { store, services } = make();
  store.upload = async (_request, body) => {
    await body.drainTo({ write: () => true }).catch(() => {});
    throw new Error("the store's own words");
  };
  const stored = storeUpload(services, flowOf("content", true), wanted);
  await expect(stored).rejects.toMatchObject({ code: "flow-broken" });
});

test("what is taken back is gone, as far as the store lets us", async () => {
  const { store, services, logged } = make();
  const uploads = [
    await storeUpload(services, flowOf("one"), wanted),
    await storeUpload(services, flowOf("two"), wanted),
  ];
  const remove = store.remove.bind(store);
  store.remove = async (name) => {
    if (name === uploads[0]?.address.name) throw new Error("disk");
    return remove(name);
  };
  await discardUploads(services, uploads);
  expect([store.files.size, logged.length]).toEqual([1, 1]);
});
