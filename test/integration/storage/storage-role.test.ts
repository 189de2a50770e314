/** The role as a whole: it serves with and without trackers, and leaves politely. */
import { expect, test } from "vitest";
import { sourceOfBytes } from "#net/byte-flow.ts";
import { common } from "#protocol/fastdfs/common.ts";
import { queryFileInfo, uploadFile } from "#protocol/fastdfs/storage-files.ts";
import { defaultParameters } from "#storage/cluster-view.ts";
import { headerBytes, pattern } from "../../support/frame-fixture.ts";
import { RawPeer } from "../../support/raw-peer.ts";
import { ScriptedTracker } from "../../support/scripted-tracker.ts";
import { until } from "../../support/settled.ts";
import { storageStage } from "../../support/storage-stage.ts";

test("clients are served although no tracker answers", async () => {
  await using stage = await storageStage({ trackers: [{ addresses: ["127.0.0.1"], port: 1 }] });
  const client = await stage.client();
  await client.call(common.activeTest, undefined);
  await until(
    () => stage.role.snapshot().trackers[0]?.problem.includes("cannot reach") === true,
    "the tracker's trouble is told",
  );
});

test("a store path that is lost is reported, and the trackers are left first when the role stops", async () => {
  const tracker = new ScriptedTracker();
  await tracker.start();
  const trackers = [{ addresses: ["127.0.0.1"], port: tracker.port }];
  const stage = await storageStage({ trackers, diskReportIntervalMs: 60_000 }, 2);
  await until(() => tracker.diskReports.length === 1, "the first report");
  stage.workers.started[1]?.die(new Error("gone"));
  await until(() => tracker.diskReports.length === 2, "the report of the change");
  const stopping = stage.role.stop(1000);
  await until(() => tracker.connections === 0, "the tracker is left");
  await stopping;
  await stage[Symbol.asyncDispose]();
  await tracker.stop();
});

test("counts survive a restart", async () => {
  const stage = await storageStage();
  const client = await stage.client();
  const request = { storePathIndex: 255, fileSize: 3, extension: "" };
  await client.upload(uploadFile, request, sourceOfBytes(pattern(3)));
  await stage[Symbol.asyncDispose]();
  expect(stage.state.counts).toMatchObject({ uploads: { total: 1, success: 1 } });
});

test("addresses in replies are as wide as the trackers say", async () => {
  await using stage = await storageStage();
  const client = await stage.client();
  const request = { storePathIndex: 255, fileSize: 3, extension: "" };
  const { filename } = await client.upload(uploadFile, request, sourceOfBytes(pattern(3)));
  const file = { group: "group1", filename, headerStatus: 1 };
  await client.call(queryFileInfo, file);
  stage.view.learnParameters({ ...defaultParameters, addressWidth: 46 });
  expect((await client.call(queryFileInfo, file)).fileSize).toBe(3);
});

test("a request without payload must be shorter than the original's buffer, header included", async () => {
  await using stage = await storageStage();
  const peer = await RawPeer.open(stage.role.port);
  // Unknown commands are read whole up to the limit, and refused at once beyond.
  peer.send(headerBytes(256 * 1024 - 10, 200, 0));
  await peer.untilEnd();
  expect(peer.received).toEqual(headerBytes(0, 100, 22));
  const other = await RawPeer.open(stage.role.port);
  other.send(headerBytes(256 * 1024 - 11, 200, 0));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(other.received.length).toBe(0);
  other.send(Buffer.alloc(256 * 1024 - 11));
  expect(await other.expect(10)).toEqual(headerBytes(0, 100, 22));
  peer.destroy();
  other.destroy();
});

test("without any store path that serves, uploads are refused and the port stays open", async () => {
  await using stage = await storageStage();
  const client = await stage.client();
  stage.workers.started[0]?.die(new Error("gone"));
  await until(() => stage.store.paths[0]?.state === "offline", "the path is lost");
  const request = { storePathIndex: 255, fileSize: 3, extension: "" };
  const storing = client.upload(uploadFile, request, sourceOfBytes(pattern(3)));
  await expect(storing).rejects.toMatchObject({ status: 11 });
  const other = await stage.client();
  await other.call(common.activeTest, undefined);
});
