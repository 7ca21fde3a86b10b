/** The words of the trainings, which are loaded with them. */

const size = (bytes: number): string =>
  bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / (1 << 20)).toFixed(bytes < 10 << 20 ? 1 : 0)} MB`
const duration = (seconds: number): string => {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`
}

export const text = {
  list: {
    label: 'Trainings',
    begin: 'New training',
    empty: 'Trainings appear here once you have started one.',
    loading: 'Loading the trainings …',
  },
  states: {
    validating_files: 'Checking the data',
    queued: 'Waiting for a runner',
    running: 'Training',
    paused: 'Paused',
    succeeded: 'Finished',
    failed: 'Failed',
    cancelled: 'Cancelled',
  },
  size,
  duration,
  when: (seconds: number) =>
    new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }),
  number: (value: number) => value.toLocaleString(undefined, { maximumSignificantDigits: 4 }),
  files: {
    pick: 'Choose files',
    other: 'Choose others',
    drop: 'Drop pictures, a zip of them, or a table as CSV or JSONL. Folders in the zip are classes, metadata.jsonl holds captions.',
    pictures: (count?: number) => (count === undefined ? 'Pictures' : `${count.toLocaleString()} pictures`),
    archive: 'pictures.zip',
    table: (columns: number) => (columns === 0 ? 'Table' : `Table of ${columns} columns`),
    tooLarge: (name: string, bytes: number, most: number) =>
      `“${name}” has ${size(bytes)}. The limit is ${size(most)}.`,
    empty: (name: string) => `“${name}” is empty.`,
    wrongKind: (name: string) => `“${name}” is neither a zip nor a table as text.`,
    tooMany: (pictures: number, most: number) =>
      `These are ${pictures.toLocaleString()} pictures. The limit is ${most.toLocaleString()}.`,
    notAlone: (name: string) => `Several files have to be pictures, all of them. “${name}” is none.`,
    onePicture: (name: string) => `“${name}” is one picture. A training needs at least 2, better some hundreds.`,
  },
  stored: {
    title: 'Stored files',
    none: 'Nothing is stored.',
    uploaded: 'Uploaded',
    result: 'Of a training',
    remove: 'Delete',
    reallyRemove: 'Really delete',
    more: 'Show more',
  },
  begin: {
    title: 'Train a model on your own data',
    what: 'What should it learn?',
    models: {
      vae: {
        title: 'To make and vary pictures',
        hint: 'A variational autoencoder: quick, can be explored, runs at the edge. Somewhat soft.',
      },
      gan: { title: 'To make sharp pictures', hint: 'A generative adversarial network: sharper, and takes longer.' },
      autoencoder: {
        title: 'To find what does not fit',
        hint: 'An autoencoder that scores what it has not seen before.',
      },
      denoiser: { title: 'To take noise out of pictures', hint: 'An autoencoder that is shown noisy pictures.' },
      translation: { title: 'To translate as you do', hint: 'Learns from sentences and their translations.' },
    },
    name: 'Name',
    nameHint: 'Part of the finished model’s name: letters, digits, - and _.',
    details: 'Details',
    detailsHint: 'What is empty is chosen by the data.',
    automatic: 'Automatic',
    settings: {
      n_epochs: 'Times through the data',
      batch_size: 'Batch size',
      learning_rate_multiplier: 'Learning rate, times the usual',
      image_size: 'Side of the pictures',
      channels: 'Colour channels',
      latents: 'Latent numbers',
      beta: 'Weight of the KL divergence (β)',
      condition: 'What it can be asked for',
      noise: 'Noise added in training',
      alarms: 'Share that is to be found unusual',
      label: 'Column that marks anomalies, for measuring',
    } as Readonly<Record<string, string>>,
    start: 'Start training',
    stop: 'Stop',
    uploading: (sent: number, total: number) => `${size(sent)} of ${size(total)} uploaded`,
    stopped: 'Stopped. Starting again goes on from there.',
  },
  job: {
    model: {
      vae: 'Variational autoencoder',
      gan: 'Generator',
      autoencoder: 'Anomaly detector',
      denoiser: 'Denoiser',
      translation: 'Translator',
    },
    missing: 'There is no such training.',
    back: 'All trainings',
    pause: 'Pause',
    resume: 'Resume',
    cancel: 'Cancel',
    step: (step: number, total: number) => `Step ${step.toLocaleString()} of ${total.toLocaleString()}`,
    left: (seconds: number) => `${duration(seconds)} left`,
    speed: (perSecond: number) => `${Math.round(perSecond).toLocaleString()} samples/s`,
    epoch: (epoch: number) => `epoch ${epoch}`,
    began: (when: string) => `Began ${when}`,
    ended: (when: string) => `Ended ${when}`,
    curves: 'Curves',
    curvesWait: 'Curves appear as it trains.',
    curve: (name: string, latest: string) => `${name}: ${latest}`,
    train: 'training',
    valid: 'validation',
    samples: 'Samples',
    samplesWait: 'What the model makes appears here now and then.',
    sheet: (step: number) => `What the model makes after step ${step.toLocaleString()}`,
    sheetAt: 'Shown after step',
    messages: 'What happened',
    settings: 'Settings',
    seed: 'Seed',
    file: 'Data',
    finished: 'Finished model',
    metricsTable: 'Download the metrics',
    open: {
      explore: 'Explore',
      map: 'Map',
      generate: 'Generate',
      anomalies: 'Find anomalies',
      denoise: 'Denoise',
      card: 'Its card',
    },
  },
} as const
