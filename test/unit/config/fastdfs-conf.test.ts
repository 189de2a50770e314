import { expect, test } from "vitest";
import { formatProblem } from "#config/errors.ts";
import {
  type IncludeResolver,
  isFastdfsFalse,
  isFastdfsTrue,
  maxConfLength,
  maxIncludeDepth,
  maxIncludes,
  readFastdfsConf,
} from "#config/fastdfs-conf.ts";

function read(
  text: string,
  include?: IncludeResolver,
): { items: readonly string[]; problems: readonly string[] } {
  const conf = readFastdfsConf({ path: "/etc/fdfs/tracker.conf", text }, include);
  const items = conf.items.map(
    ({ section, key, value, file, line }) => `${file}:${line} [${section}] ${key}=${value}`,
  );
  return { items, problems: conf.problems.map(formatProblem) };
}

test("keys and values are trimmed, and a value runs to the end of its line", () => {
  const text =
    "\uFEFFport = 22122 # not a comment\r\n  # comment = 1\n\nno equals sign\n\tbind_addr=\nx = a=b\n";
  expect(read(text)).toEqual({
    items: [
      "/etc/fdfs/tracker.conf:1 [] port=22122 # not a comment",
      "/etc/fdfs/tracker.conf:5 [] bind_addr=",
      "/etc/fdfs/tracker.conf:6 [] x=a=b",
    ],
    problems: [],
  });
});

test("sections end at the next one, and an empty one leads back to the global keys", () => {
  expect(
    read("a=1\n[ error-log ]\nb=2\n[]\nc=3\nb=4").items.map((each) =>
      each.split(" ").slice(1).join(" "),
    ),
  ).toEqual(["[] a=1", "[error-log] b=2", "[] c=3", "[] b=4"]);
});

test("an included file is read in its place, from the directory of the one that includes it", () => {
  const files = new Map([
    ["/etc/fdfs/sub/http.conf", "h=1\n[s]\nk=2\n#include ../more.conf"],
    ["/etc/fdfs/more.conf", "m=1"],
    ["/abs.conf", "x=1"],
  ]);
  const text =
    "[s]\n#include sub/http.conf\na=1\n#INCLUDE\tfile:///abs.conf\n##include no.conf\n#includes = 1";
  expect(read(text, (path) => files.get(path))).toEqual({
    items: [
      "/etc/fdfs/sub/http.conf:1 [] h=1",
      "/etc/fdfs/sub/http.conf:3 [s] k=2",
      "/etc/fdfs/more.conf:1 [] m=1",
      "/etc/fdfs/tracker.conf:3 [] a=1",
      "/abs.conf:1 [] x=1",
    ],
    problems: [],
  });
});

test("an include that cannot be followed is reported with its line", () => {
  expect(read("a=1\n#include gone.conf\n#include http://x/y.conf").problems).toEqual([
    "/etc/fdfs/tracker.conf:2: #include: /etc/fdfs/gone.conf cannot be read",
    "/etc/fdfs/tracker.conf:3: #include: http://x/y.conf was not fetched; save it as a file and include that",
  ]);
});

test("files that include each other, deep chains and floods of includes end", () => {
  expect(read("#include tracker.conf", () => "a=1").problems).toEqual([
    expect.stringContaining("include each other"),
  ]);
  const chain = read(
    "#include 0.conf",
    (path) => `a=1\n#include ${Number.parseInt(path.slice(10), 10) + 1}.conf`,
  );
  expect(chain.items).toHaveLength(maxIncludeDepth);
  expect(chain.problems).toEqual([expect.stringContaining(`more than ${maxIncludeDepth} deep`)]);
  let count = 0;
  const flood = read("#include x.conf", () => {
    count += 1;
    return Array.from({ length: 9 }, (_, at) => `#include ${count}-${at}.conf`).join("\n");
  });
  expect(count).toBeLessThanOrEqual(maxIncludes);
  expect(flood.problems.some((each) => each.includes(`more than ${maxIncludes} includes`))).toBe(
    true,
  );
});

test("preprocessor lines, and keys and values beyond the limits, are ignored and reported", () => {
  const text = `#@if %{x} in [1]\na=1\n#@endif\n${"k".repeat(64)}=1\nb=${"v".repeat(256)}\n=1\nc=${"v".repeat(255)}`;
  const { items, problems } = read(text);
  expect(items).toHaveLength(2);
  expect(
    problems.map((each) =>
      each.slice("/etc/fdfs/tracker.conf:".length, -10).split(": ").slice(0, 2),
    ),
  ).toEqual([
    ["1", "#@if"],
    ["3", "#@endif"],
    ["4", "k".repeat(20)],
    ["5", "b"],
    ["6", expect.stringContaining("without a key")],
  ]);
});

test("a text that is far too long is not read", () => {
  expect(read(`a=1\n${"#".repeat(maxConfLength)}`)).toEqual({
    items: [],
    problems: [expect.stringContaining("longer")],
  });
});

test("four words are true in any case, everything else is false, of which some is meant so", () => {
  expect(["true", "YES", "On", "1"].every(isFastdfsTrue)).toBe(true);
  expect(["false", "no", "0", "2", "y", ""].some(isFastdfsTrue)).toBe(false);
  expect(["false", "No", "OFF", "0", ""].every(isFastdfsFalse)).toBe(true);
  expect(["2", "y", "enable"].some(isFastdfsFalse)).toBe(false);
});
