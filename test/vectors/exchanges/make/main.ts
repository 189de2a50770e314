/**
 * Writes a recording: `node main.ts OUT_FILE CAPTURE TRACKER STORAGE…`, where the servers are `address:port` in the capture. Keeps
 * what clients said to them and were told, in order.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import { type CapturedExchange, conversations } from "./conversations.ts";
import { shorten } from "./shorten.ts";

const [outFile = "out.json", capture = "", ...servers] = process.argv.slice(2);
const bytes = readFileSync(capture);
const plain = bytes.readUInt16BE(0) === 0x1f8b ? gunzipSync(bytes) : bytes;
const exchanges = withoutRepeats(conversations(plain, new Set(servers)).filter(isClients));

const lines = exchanges.map(({ connection, server, seconds, request, reply }) =>
  JSON.stringify({
    connection,
    server,
    seconds: Math.round(seconds * 1000) / 1000,
    request: shorten(request),
    reply: reply === undefined ? null : shorten(reply, request),
  }),
);
const heading = {
  from: `${basename(capture)}: C FastDFS 6.16.1, its command-line clients`,
  tracker: servers[0],
  storages: servers.slice(1),
};
// One exchange a line: short, and what changes shows in a comparison.
const head = JSON.stringify(heading, undefined, 2).replace(/\n}$/, ",\n");
writeFileSync(outFile, `${head}  "exchanges": [\n${lines.join(",\n")}\n  ]\n}\n`);
console.log(`${exchanges.length} exchanges on ${exchanges.at(-1)?.connection ?? 0} connections`);

/** Storages of one machine speak from its address as well; these commands are theirs (protocol §2.7, §2.8). */
function isClients({ request }: CapturedExchange): boolean {
  const command = request.readUInt8(8);
  return command >= 90 || [11, 12, 13, 14, 15, 21, 22, 23, 24, 34, 36, 38, 82].includes(command);
}

/** Monitors ask the same again and again: what differs from an earlier exchange in counters alone is left out. */
function withoutRepeats(all: readonly CapturedExchange[]): readonly CapturedExchange[] {
  const seen = new Set<string>();
  return all.filter(({ request, reply }) => {
    const command = request.readUInt8(8);
    if (command < 90 || command > 99) return true;
    const key = `${request.toString("hex")} ${reply?.length}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
