export { type BindOptions, bind, type Context, type Handler } from './bind.ts'
export { denied, noSuchPlace } from './guard.ts'
export type { Readiness } from './health.ts'
export type { Figure } from './metrics.ts'
export { openApiDocument } from './openapi.ts'
export { serverClosing, unsupportedMediaType } from './problem-handler.ts'
export { bindProxy, type ProxyAnswer, type ProxyHandlers, type ProxyRequest, type ProxySocket } from './proxy.ts'
export { createRateLimit, type RateLimit } from './rate-limit.ts'
export { hashPassword, hashSecret, newSecret, sameText, verifyPassword } from './secret.ts'
export {
  type Authenticate,
  type Credential,
  createServer,
  type Server,
  type ServerOptions,
} from './server.ts'
export { bindSocket, type Socket, type SocketHandler } from './socket.ts'
export type { ProxyTunnel, ProxyUpgrade } from './tunnel.ts'
