/**
 * Writes what servers said to each other in a mixed group: `node storages.ts OUT_FILE FROM CAPTURE COMMANDS SERVER… [FILES]`, where `FROM`
 * says in words what was captured, `COMMANDS` are numbers with commas between them, the servers are those that were asked, and `FILES` is a
 * `.json` of names and contents that stood at the end.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { conversations } from "./conversations.ts";

const [outFile = "out.json", from = "", capture = "", numbers = "", ...rest] =
  process.argv.slice(2);
const servers = rest.filter((argument) => !argument.endsWith(".json"));
const filesFile = rest.find((argument) => argument.endsWith(".json"));
const wanted = new Set(numbers.split(",").map(Number));
const isTracker = (server: string): boolean => server.endsWith(":22122");
const exchanges = conversations(readFileSync(capture), new Set(servers), () => true).filter(
  ({ request }) => wanted.has(request.readUInt8(8)),
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
const heading = {
  from: `${basename(capture)}: ${from}`,
  tracker: servers.find(isTracker) ?? "",
  storages: servers.filter((server) => !isTracker(server)),
  ...(filesFile === undefined ? {} : { files: JSON.parse(readFileSync(filesFile, "utf8")) }),
};
const head = JSON.stringify(heading, undefined, 2).replace(/\n}$/, ",\n");
writeFileSync(outFile, `${head}  "exchanges": [\n${lines.join(",\n")}\n  ]\n}\n`);
console.log(`${exchanges.length} exchanges`);
