// Parts of undici for themselves: all of it are 109 files, of which a cluster needs 30 (2026-11-21: 30 ms of a start).
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici'
  // biome-ignore lint/style/noDefaultExport: as undici has it
  export default Pool
}
declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher } from 'undici'
  // biome-ignore lint/style/noDefaultExport: as undici has it
  export default function request(
    this: Dispatcher,
    options: Dispatcher.RequestOptions,
  ): Promise<Dispatcher.ResponseData>
}
