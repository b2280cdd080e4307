// Where the server's paths are, which may lie below a proxy's prefix.

const ROOT = new URL("../", import.meta.url);

export const at = (path) => new URL(path, ROOT);
