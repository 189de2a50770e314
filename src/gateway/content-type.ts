/** Media types by extension, and the other way round for uploads whose name says nothing. Data and two look-ups. Pure. */

const types: Readonly<Record<string, string>> = {
  // Images
  apng: "image/apng",
  avif: "image/avif",
  bmp: "image/bmp",
  gif: "image/gif",
  heic: "image/heic",
  heif: "image/heif",
  ico: "image/x-icon",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  jxl: "image/jxl",
  png: "image/png",
  psd: "image/vnd.adobe.photoshop",
  svg: "image/svg+xml",
  tif: "image/tiff",
  tiff: "image/tiff",
  webp: "image/webp",
  // Sound
  aac: "audio/aac",
  aiff: "audio/aiff",
  flac: "audio/flac",
  m4a: "audio/mp4",
  mid: "audio/midi",
  mp3: "audio/mpeg",
  ogg: "audio/ogg",
  oga: "audio/ogg",
  opus: "audio/ogg",
  wav: "audio/wav",
  weba: "audio/webm",
  // Video
  "3gp": "video/3gpp",
  avi: "video/x-msvideo",
  flv: "video/x-flv",
  h264: "video/h264",
  m3u8: "application/vnd.apple.mpegurl",
  m4s: "video/iso.segment",
  m4v: "video/x-m4v",
  mkv: "video/x-matroska",
  mov: "video/quicktime",
  mp4: "video/mp4",
  mpd: "application/dash+xml",
  mpeg: "video/mpeg",
  mpg: "video/mpeg",
  ogv: "video/ogg",
  ts: "video/mp2t",
  webm: "video/webm",
  wmv: "video/x-ms-wmv",
  // Texts and data
  css: "text/css",
  csv: "text/csv",
  html: "text/html",
  htm: "text/html",
  ics: "text/calendar",
  js: "text/javascript",
  json: "application/json",
  md: "text/markdown",
  mjs: "text/javascript",
  toml: "application/toml",
  txt: "text/plain",
  log: "text/plain",
  ini: "text/plain",
  vtt: "text/vtt",
  wasm: "application/wasm",
  xhtml: "application/xhtml+xml",
  xml: "application/xml",
  xsl: "application/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
  // Documents and fonts
  doc: "application/msword",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  epub: "application/epub+zip",
  odp: "application/vnd.oasis.opendocument.presentation",
  ods: "application/vnd.oasis.opendocument.spreadsheet",
  odt: "application/vnd.oasis.opendocument.text",
  otf: "font/otf",
  pdf: "application/pdf",
  ppt: "application/vnd.ms-powerpoint",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  ps: "application/postscript",
  rtf: "application/rtf",
  ttf: "font/ttf",
  woff: "font/woff",
  woff2: "font/woff2",
  xls: "application/vnd.ms-excel",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  // Archives and programs
  "7z": "application/x-7z-compressed",
  apk: "application/vnd.android.package-archive",
  bz2: "application/x-bzip2",
  deb: "application/vnd.debian.binary-package",
  exe: "application/vnd.microsoft.portable-executable",
  gz: "application/gzip",
  iso: "application/x-iso9660-image",
  jar: "application/java-archive",
  rar: "application/vnd.rar",
  tar: "application/x-tar",
  "tar.gz": "application/gzip",
  tgz: "application/gzip",
  xz: "application/x-xz",
  "tar.xz": "application/x-xz",
  zip: "application/zip",
  zst: "application/zstd",
};

const byExtension: ReadonlyMap<string, string> = new Map(Object.entries(types));

/** The first extension of each type. */
const byType: ReadonlyMap<string, string> = new Map(
  Object.entries(types)
    .reverse()
    .map(([extension, type]) => [type, extension]),
);

/** Types whose content runs as a program in a browser. */
const activeTypes: ReadonlySet<string> = new Set([
  "text/html",
  "application/xhtml+xml",
  "image/svg+xml",
  "application/xml",
]);

/** `extension` without dot, in any case. */
export function contentTypeOf(extension: string, defaultType: string): string {
  return byExtension.get(extension.toLowerCase()) ?? defaultType;
}

/** The usual extension of a media type with or without parameters; undefined where there is none. */
export function extensionOfType(contentType: string): string | undefined {
  const [type = ""] = contentType.split(";", 1);
  return byType.get(type.trim().toLowerCase());
}

/** True where a browser would run scripts in the name of our address, so that the reply has to forbid it. */
export function isActiveType(contentType: string): boolean {
  const [type = ""] = contentType.split(";", 1);
  return activeTypes.has(type.trim().toLowerCase());
}
