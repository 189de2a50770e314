/** Settings of the HTTP gateway: `[gateway]` and `[gateway.anti_leech]` (protocol §10). */
import { setting, table } from "#config/setting.ts";
import { byteSize, duration, flag, integer, path, text } from "#config/value-types.ts";

/** FastDFS's own limit for the secret, in characters. */
const maxSecretLength = 128;

export const gatewaySection = table("The HTTP gateway.", {
  port: setting(integer({ min: 0, max: 65_535 }), {
    default: 8080,
    applies: "role-restart",
    says: "TCP port of the HTTP gateway; 0 takes a free one.",
  }),
  upload: setting(flag(), {
    default: true,
    applies: "role-restart",
    says: "Whether files may be uploaded with POST and PUT.",
  }),
  delete: setting(flag(), {
    default: true,
    applies: "role-restart",
    says: "Whether files may be deleted with DELETE.",
  }),
  max_upload_size: setting(byteSize({ min: "1", max: "8191TiB" }), {
    default: "1TiB",
    applies: "role-restart",
    says: "The largest file that may be uploaded over HTTP.",
  }),
  default_content_type: setting(
    text({
      maxLength: 127,
      form: { words: 'a media type such as "application/octet-stream"', accepts: isMediaType },
    }),
    {
      default: "application/octet-stream",
      applies: "role-restart",
      fastdfs: "mod_fastdfs.conf http.default_content_type",
      says: "Content type of files whose extension is not known.",
    },
  ),
  url_has_group: setting(flag(), {
    default: true,
    applies: "role-restart",
    fastdfs: "mod_fastdfs.conf url_have_group_name",
    says: "Whether paths begin with the group, /group1/M00/…; otherwise storage.group is meant.",
  }),
  accel_redirect_prefix: setting(
    text({
      maxLength: 200,
      form: {
        words: "a path of letters, digits, - _ and /, beginning with /, or empty",
        accepts: (prefix) => prefix === "" || /^\/[\w/-]*$/.test(prefix),
      },
    }),
    {
      default: "",
      applies: "role-restart",
      says: "In front of a store path's number in the header X-Accel-Redirect, such as /_cairn_store: an nginx before us then sends plain files from the store path by itself; empty sends them from here.",
    },
  ),
  anti_leech: table("Tokens without which files are not served (FastDFS's anti-steal).", {
    check: setting(flag(), {
      default: false,
      applies: "role-restart",
      fastdfs: "mod_fastdfs.conf http.anti_steal.check_token",
      says: "Whether a download needs a token and its time in the query.",
    }),
    secret: setting(text({ maxLength: maxSecretLength }), {
      default: "",
      applies: "role-restart",
      secret: true,
      fastdfs: "mod_fastdfs.conf http.anti_steal.secret_key",
      says: "The secret that goes into tokens; better kept in a file, see secret_file.",
    }),
    secret_file: setting(path({ mayBeEmpty: true }), {
      default: "",
      applies: "role-restart",
      says: "File that holds the secret; a line end behind it does not count.",
    }),
    ttl: setting(duration({ min: "1s", max: "3650d" }), {
      default: "10m",
      applies: "role-restart",
      fastdfs: "mod_fastdfs.conf http.anti_steal.token_ttl",
      says: "How long a token is valid after its time.",
    }),
    fail_file: setting(path({ mayBeEmpty: true }), {
      default: "",
      applies: "role-restart",
      fastdfs: "mod_fastdfs.conf http.anti_steal.token_check_fail",
      says: "File that is served with status 200 in place of one whose token is wrong; empty answers 400.",
    }),
  }),
});

function isMediaType(written: string): boolean {
  return /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:;\s*[\w-]+=[\w."-]+)*$/.test(written);
}
