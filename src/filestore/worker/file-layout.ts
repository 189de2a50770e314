/**
 * Where things lie on a store path, and which logical names mean something there (protocol §2.6, §5.3). A logical name is
 * a path below `data/` behind its `Mxx/`, so that no path is ever joined from its parts.
 */
import { fileStoreError } from "#filestore/errors.ts";
import type { StagedPlace } from "#filestore/formats/staged-name.ts";
import { formatRemoteFilename, parseRemoteFilename } from "#model/remote-filename.ts";

const metadataSuffix = "-m";
/** `Mxx/` */
const pathPrefixLength = 4;
const capitalM = 0x4d;

/** One file by its logical name. */
export interface FilePlace extends StagedPlace {
  /** `Mxx/HH/HH/base`, in the form that is written to the binlog. */
  readonly name: string;
  readonly path: string;
}

export class FileLayout {
  readonly directory: string;
  readonly data: string;
  readonly sync: string;
  /** Everything that is ours alone. */
  readonly own: string;
  readonly tmp: string;
  readonly state: string;
  readonly #index: number;
  /** With slash. */
  readonly #dataPrefix: string;

  constructor(directory: string, index: number) {
    this.directory = directory;
    this.data = `${directory}/data`;
    this.sync = `${this.data}/sync`;
    this.own = `${this.data}/.cairn`;
    this.tmp = `${this.own}/tmp`;
    this.state = `${this.own}/state`;
    this.#index = index;
    this.#dataPrefix = `${this.data}/`;
  }

  /** Throws `file-invalid` for what is no name, or one of another store path. */
  place(name: string): FilePlace {
    const place = this.find(name);
    if (place !== undefined) return place;
    throw fileStoreError(
      "file-invalid",
      `"${name.slice(0, 160)}" is not a file of this store path`,
    );
  }

  /** Undefined for what is no name, or one of another store path. Takes names of metadata, too. */
  find(name: string): FilePlace | undefined {
    const parsed = parseRemoteFilename(name) ?? this.#parseMetadataName(name);
    if (parsed === undefined || parsed.storePathIndex !== this.#index) return undefined;
    const { high, low, base } = parsed;
    const prefixed = name.charCodeAt(0) === capitalM;
    const below = prefixed ? name.slice(pathPrefixLength) : name;
    // From 0A on the store path may have been written in lower case.
    const full = prefixed && parsed.storePathIndex < 10 ? name : formatRemoteFilename(parsed);
    return { high, low, base, name: full, path: this.#dataPrefix + below };
  }

  /** The place of a new file, whose parts are known to be well. */
  placeOf(place: StagedPlace): FilePlace {
    const name = formatRemoteFilename({ ...place, storePathIndex: this.#index });
    return { ...place, name, path: this.#dataPrefix + name.slice(pathPrefixLength) };
  }

  /** The directory `HH/HH` of a file. */
  directoryOf(place: FilePlace): string {
    return place.path.slice(0, place.path.length - place.base.length - 1);
  }

  /** The names of metadata are longer than those of files may be. */
  #parseMetadataName(name: string) {
    if (!name.endsWith(metadataSuffix)) return undefined;
    const file = parseRemoteFilename(name.slice(0, -metadataSuffix.length));
    return file === undefined ? undefined : { ...file, base: file.base + metadataSuffix };
  }
}

/** Where the metadata of a file lies; it is named, and logged, like a file. */
export function metadataPlace(place: FilePlace): FilePlace {
  return {
    ...place,
    base: place.base + metadataSuffix,
    name: place.name + metadataSuffix,
    path: place.path + metadataSuffix,
  };
}

/** The name of the file to which metadata of this name belongs. */
export function ownerOfMetadata(name: string): string {
  return name.slice(0, -metadataSuffix.length);
}

/** What changes of one file exclude each other by: the file's place, of its metadata that of the file. */
export function lockKey(name: string): string {
  const below = name.charCodeAt(0) === capitalM ? name.slice(pathPrefixLength) : name;
  return below.endsWith(metadataSuffix) ? ownerOfMetadata(below) : below;
}

/** True where the name is one of metadata: what is left of it names the file. */
export function isMetadataBase(base: string): boolean {
  return base.endsWith(metadataSuffix);
}
