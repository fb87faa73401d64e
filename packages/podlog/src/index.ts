export { readPodLogs } from './pod-logs.ts'
export type { LogFrame, LogSource, PodLogsRequest } from './request.ts'
