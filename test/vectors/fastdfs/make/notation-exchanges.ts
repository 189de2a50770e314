/**
 * Exchanges out of a Markdown file in which each stands below its bold heading, in a code block of two lines: `>` request and
 * `<` reply, header first (length or `*`, command, status in hexadecimal), then the body: hexadecimal bytes, `'text'`, `00×n`.
 */
import { type Exchange, headerSize, type Origin } from "./exchange.ts";

const lengthSize = 8;

/** Exchanges that are cut short in the file (`…`) are left out. A heading may end in `(16)`, `(46)`, `(release 61200)`. */
export function notationExchanges(markdown: string, origin: Origin): readonly Exchange[] {
  const exchanges: Exchange[] = [];
  const block = /^\*\*(\d+) ([^*]*)\*\*([^\n]*)\n```\n> ([^\n]*)\n(?:< ([^\n]*)\n)?```/gm;
  for (const [, command, name, rest, request = "", reply] of markdown.matchAll(block)) {
    if (request.includes("…") || reply?.includes("…") === true) continue;
    const heading = `${name}${rest}`;
    const release = /release (\d+)/.exec(heading)?.[1];
    exchanges.push({
      command: Number(command),
      request: parseFrame(request),
      reply: reply === undefined ? undefined : parseFrame(reply),
      width: heading.includes("(46)") ? 46 : 16,
      ...(release === undefined ? {} : { release: Number(release) }),
      note: (rest ?? "").replace(/^ — /, "").replace(/ \((16|46|release \d+)\)/g, ""),
      origin: { kind: origin.kind, source: `${origin.source}, "${command} ${name}"` },
    });
  }
  return exchanges;
}

function parseFrame(text: string): Buffer {
  const [length = "", ...rest] = tokens(text);
  const bytes = Buffer.concat(rest.map(parseToken));
  const body = bytes.length - (headerSize - lengthSize);
  if (length !== "*" && Number.parseInt(length, 16) !== body) {
    throw new Error(`length ${length}, but ${body} bytes: ${text}`);
  }
  const header = Buffer.alloc(lengthSize);
  header.writeBigInt64BE(BigInt(body), 0);
  return Buffer.concat([header, bytes]);
}

/** Quoted texts hold blanks. */
function tokens(text: string): readonly string[] {
  return text.match(/'[^']*'|\S+/g) ?? [];
}

function parseToken(token: string): Buffer {
  if (token.startsWith("'")) return Buffer.from(token.slice(1, -1));
  const zeros = /^([0-9A-F]*)00×(\d+)$/.exec(token);
  if (zeros !== null) {
    return Buffer.concat([Buffer.from(zeros[1] ?? "", "hex"), Buffer.alloc(Number(zeros[2]))]);
  }
  if (!/^([0-9A-F]{2})+$/.test(token)) throw new Error(`"${token}" is no hexadecimal text`);
  return Buffer.from(token, "hex");
}
