/**
 * Writes what storages said to each other about trunk files: `node trunk.ts OUT_FILE FROM CAPTURE STORAGE…`, where `FROM` says in words
 * what was captured and the storages are `address:port`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { conversations } from "./conversations.ts";

const [outFile = "out.json", from = "", capture = "", ...storages] = process.argv.slice(2);
const trunkCommands = [27, 28, 29, 30, 31, 32, 33];
const exchanges = conversations(readFileSync(capture), new Set(storages), () => true).filter(
  ({ request }) => trunkCommands.includes(request.readUInt8(8)),
);

const lines = exchanges.map(({ connection, client, server, seconds, request, reply }) =>
  JSON.stringify({
    connection,
    client,
    server,
    seconds: Math.round(seconds * 1000) / 1000,
    request: request.toString("hex"),
    reply: reply === undefined ? null : reply.toString("hex"),
  }),
);
const heading = { from: `${basename(capture)}: ${from}`, tracker: "", storages };
const head = JSON.stringify(heading, undefined, 2).replace(/\n}$/, ",\n");
writeFileSync(outFile, `${head}  "exchanges": [\n${lines.join(",\n")}\n  ]\n}\n`);
console.log(`${exchanges.length} exchanges`);
