/**
 * The tracker and the storage that conformance tests speak to: a Cairn node with two store paths that is started for them, or
 * any other server that the environment names, with one storage that has two store paths:
 *
 *     CAIRN_CONFORMANCE_TRACKER=127.0.0.40:22122 CAIRN_CONFORMANCE_STORAGE=127.0.0.42:23000
 *
 * `CAIRN_CONFORMANCE_REFERENCE=1` says that it is C FastDFS: where the tests know that Cairn deliberately does something else,
 * they then expect what C does.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storable } from "../support/live-node.ts";
import { NodeProcess } from "../support/node-process.ts";
import type { Place } from "../support/raw-connection.ts";

export interface ServerUnderTest {
  readonly tracker: Place;
  readonly storage: Place;
  readonly isReference: boolean;
  stop(): Promise<void>;
}

export async function serverUnderTest(): Promise<ServerUnderTest> {
  const { CAIRN_CONFORMANCE_TRACKER: tracker, CAIRN_CONFORMANCE_STORAGE: storage } = process.env;
  if (tracker !== undefined && storage !== undefined) {
    const isReference = process.env.CAIRN_CONFORMANCE_REFERENCE === "1";
    return {
      tracker: placeOf(tracker),
      storage: placeOf(storage),
      isReference,
      stop: async () => {},
    };
  }
  const folder = mkdtempSync(join(tmpdir(), "cairn-conformance-"));
  const paths = [join(folder, "path0"), join(folder, "path1")];
  for (const path of paths) mkdirSync(path);
  let node: NodeProcess;
  try {
    // The reference has files of their own, whatever the disk is like.
    const settings = [`storage.path=${paths.join(",")}`, "storage.packing=off"];
    node = await NodeProcess.start({ dataDirectory: folder, settings });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const address = "127.0.0.1";
  const own = { address, port: node.ports.tracker };
  await storable(own);
  return {
    tracker: own,
    storage: { address, port: node.ports.storage },
    isReference: false,
    stop: async () => {
      await node.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function placeOf(text: string): Place {
  const at = text.lastIndexOf(":");
  return { address: text.slice(0, at), port: Number(text.slice(at + 1)) };
}
