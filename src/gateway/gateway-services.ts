/** What every handler of the gateway may use. */
import type { Log } from "#base/log.ts";
import type { FileAddress, FileSource } from "#gateway/file-source.ts";
import type { GatewayRequest } from "#gateway/gateway-request.ts";
import type { GatewaySettings } from "#gateway/gateway-settings.ts";
import type { HttpResponse } from "#net/http-message.ts";
import type { Clock } from "#platform/clock.ts";
import type { Random } from "#platform/random.ts";

export interface GatewayServices {
  readonly settings: GatewaySettings;
  readonly files: FileSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Answers for a file that is not here: by a redirect, or by what another node says. Undefined leaves it missing. */
  readonly elsewhere: Elsewhere | undefined;
  /** Left out: nobody is told. */
  readonly receipt?: Receipts | undefined;
}

/** Which disks hold a file, as a value for JSON; undefined where the id is none of this group. */
export type Receipts = (address: FileAddress) => Promise<unknown>;

export type Elsewhere = (
  address: FileAddress,
  request: GatewayRequest,
) => Promise<HttpResponse | undefined>;
