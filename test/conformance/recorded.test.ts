/**
 * Goal: a server that gets the requests of a recorded session of C FastDFS's own clients answers as C FastDFS did.
 * Method: the recording is played in order against the server under test. Names of files are replaced by those that this server
 * gave; addresses, ports, times, counters and sizes of disks are masked field by field (`recorded/comparable.ts`); status,
 * length, content, order of metadata and all that a name says must be equal. The recorded cluster had two storages, where there
 * may be one here: both are played against it.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { readRecording } from "../support/recordings.ts";
import { Replay } from "./recorded/replay.ts";
import { type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

let server: ServerUnderTest;

beforeAll(async () => {
  server = await serverUnderTest();
});

afterAll(async () => {
  await server.stop();
});

test("every command of FastDFS's command-line clients is answered as recorded", async () => {
  const recording = readRecording("normal");
  expect(recording.exchanges.length).toBeGreaterThan(200);
  expect(await new Replay(recording, server).run()).toEqual([]);
});
