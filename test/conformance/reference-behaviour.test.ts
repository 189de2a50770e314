/**
 * Goal: requests that are malformed, or only odd, get the status that FastDFS gives, or a closed connection where it closes it;
 * nothing that was stored changes by a request that is refused.
 * Method: each row of the tables in `odd/` is sent byte for byte on a connection of its own. The expected outcomes are what C
 * FastDFS 6.16.1 was seen to do with the same tables (see `server-under-test.ts` for how to repeat that); rows with a
 * `reference` say where we do something else, and why.
 */
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import {
  appendRequests,
  linkRequests,
  modifyRequests,
  regenerateRequests,
  truncateRequests,
} from "./odd/changes.ts";
import { deleteRequests, downloadRequests, infoRequests } from "./odd/files.ts";
import { framingRequests } from "./odd/framing.ts";
import { metadataRequests } from "./odd/metadata.ts";
import {
  contentOf,
  letters,
  metadataOf,
  type OddRequest,
  outcome,
  prepare,
} from "./odd/odd-request.ts";
import { trackerRequests } from "./odd/tracker.ts";
import { slaveRequests, uploadRequests } from "./odd/uploads.ts";
import { type ServerUnderTest, serverUnderTest } from "./server-under-test.ts";

let server: ServerUnderTest;

beforeAll(async () => {
  server = await serverUnderTest();
});

afterAll(async () => {
  await server.stop();
});

const tables: Readonly<Record<string, readonly OddRequest[]>> = {
  "framing of a storage": framingRequests,
  uploads: uploadRequests,
  slaves: slaveRequests,
  downloads: downloadRequests,
  "file info": infoRequests,
  deletions: deleteRequests,
  metadata: metadataRequests,
  appends: appendRequests,
  modifications: modifyRequests,
  truncations: truncateRequests,
  "new names": regenerateRequests,
  links: linkRequests,
};

for (const [table, rows] of Object.entries(tables)) {
  describe(table, () => {
    for (const row of rows) {
      test(row.says, (context) => play(row, context));
    }
  });
}

describe("tracker", () => {
  for (const row of trackerRequests) {
    test(row.says, async (context) => {
      if (server.isReference && row.reference === "-") return context.skip();
      const wanted = server.isReference ? (row.reference ?? row.expect) : row.expect;
      expect(await outcome(server.tracker, row.request(""))).toBe(wanted);
    });
  }
});

async function play(row: OddRequest, context: TestContext): Promise<void> {
  const { storage, isReference } = server;
  if (isReference && row.reference === "-") return context.skip();
  const name = await prepare(storage, row.on);
  const got = await outcome(storage, row.request(name));
  const content = row.on === "nothing" ? undefined : await contentOf(storage, name);
  const metadata = row.leavesMetadata === undefined ? undefined : await metadataOf(storage, name);
  expect({ got, content, metadata }).toEqual(isReference ? ofReference(row) : ofOurs(row));
}

interface Result {
  readonly got: string;
  readonly content: string | undefined;
  readonly metadata: string | undefined;
}

function ofOurs(row: OddRequest): Result {
  const content = row.on === "nothing" ? undefined : (row.leaves ?? letters);
  return { got: row.expect, content, metadata: row.leavesMetadata };
}

function ofReference(row: OddRequest): Result {
  const { content, metadata } = ofOurs(row);
  const got = row.reference ?? row.expect.replace("22 open", "22 closed");
  if (metadata !== undefined) return { got, content, metadata: row.referenceLeaves ?? metadata };
  return { got, content: row.referenceLeaves ?? content, metadata };
}
