import { imageOf, SIDECARS } from './names.ts'
import type { Random } from './random.ts'

const PORTS = [8080, 8443, 3000, 9090, 5432, 6379]

/** What all pods of one workload share: its template's containers, made once for the workload. */
export function containersOf(random: Random, application: string, heavy: boolean): object[] {
  const count = heavy ? random.whole(3, 5) : random.chance(0.25) ? 2 : 1
  const containers: object[] = []
  for (let n = 0; n < count; n++) {
    const main = n === 0
    containers.push(
      containerOf(
        random,
        main ? 'app' : `sidecar-${n}`,
        main ? imageOf(random, application) : (SIDECARS[n - 1] ?? ''),
        heavy,
      ),
    )
  }
  return containers
}

function containerOf(random: Random, name: string, image: string, heavy: boolean): object {
  const port = random.pick(PORTS)
  const probe = (path: string, seconds: number) => ({
    httpGet: { path, port, scheme: 'HTTP' },
    initialDelaySeconds: seconds,
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  })
  return {
    name,
    image,
    ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }],
    env: variables(random, heavy ? 5 : 1),
    resources: {
      limits: { cpu: random.pick(['500m', '1', '2']), memory: random.pick(['256Mi', '512Mi', '1Gi', '4Gi']) },
      requests: {
        cpu: random.pick(['50m', '100m', '250m', '1']),
        memory: random.pick(['64Mi', '128Mi', '256Mi', '1Gi']),
      },
    },
    volumeMounts: [
      { name: 'configuration', readOnly: true, mountPath: '/etc/app' },
      { name: 'kube-api-access', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ],
    ...(heavy && name === 'app' ? { livenessProbe: probe('/healthz', 15) } : {}),
    ...(name === 'app' ? { readinessProbe: probe('/readyz', 3) } : {}),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    securityContext: {
      capabilities: { drop: ['ALL'] },
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
    },
  }
}

function variables(random: Random, count: number): object[] {
  const made: object[] = [
    { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
  ]
  for (let n = 0; n < count; n++) {
    made.push(
      n % 2 === 0
        ? { name: `SETTING_${n}`, value: `https://service-${random.whole(1, 400)}.example.edu/v${random.whole(1, 3)}` }
        : {
            name: `CREDENTIAL_${n}`,
            valueFrom: { secretKeyRef: { name: `credentials-${random.whole(1, 20)}`, key: 'password' } },
          },
    )
  }
  return made
}
