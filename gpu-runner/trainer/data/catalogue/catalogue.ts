/** Public data sets that recipes can name. */
import type { DataSet } from '../data-set.ts'
import { debianDescriptions } from './debian-descriptions.ts'
import { emoji } from './emoji.ts'
import { fashionMnist } from './fashion-mnist.ts'
import { helpAndMore, libreOfficeHelp } from './libreoffice-help.ts'
import { libreOfficeWords } from './libreoffice-ui.ts'
import { sensorReadings } from './sensors.ts'

export interface CatalogueData {
  /** What it is, who made it, and where it is described. */
  readonly description: string
  /** SPDX identifiers. */
  readonly licence: string
  /** @param root the cache's folder */
  readonly train: (root: string) => Promise<DataSet>
  /** What a model is chosen by while it is trained; without it, the recipe's share of the training data. */
  readonly validation?: (root: string) => Promise<DataSet>
  /** What no model is trained on. */
  readonly test: (root: string) => Promise<DataSet>
}

/** Text alone, as the models that ship were trained on it. */
function libreOffice(source: 'en' | 'fr', target: 'en' | 'fr'): CatalogueData {
  const direction = { source, target }
  return {
    description:
      "LibreOffice 7.4's help in English and French (The Document Foundation and its translators), paragraph by paragraph, from Debian's packages libreoffice-help-en-us and libreoffice-help-fr",
    licence: 'MPL-2.0',
    train: async (root) => {
      const { marked: _, ...texts } = await libreOfficeHelp('train', direction, root)
      return texts
    },
    validation: (root) => libreOfficeHelp('dev', direction, root),
    test: (root) => libreOfficeHelp('test', direction, root),
  }
}

/** With marks of formats and more sources; chosen by and tested on LibreOffice's help. */
function software(source: 'en' | 'fr', target: 'en' | 'fr'): CatalogueData {
  const direction = { source, target }
  return {
    description:
      "LibreOffice 7.4's help and words in English and French (The Document Foundation and its translators), from Debian's packages libreoffice-help-en-us, libreoffice-help-fr and libreoffice-l10n-fr; descriptions of Debian 12's packages by their maintainers and Debian's French translators (https://www.debian.org/international/l10n/ddtp), which are as free as their packages are; the help's pages and the packages that are held out are in none of it",
    licence: 'MPL-2.0, LicenseRef-DFSG',
    train: async (root) =>
      helpAndMore(direction, { more: await libreOfficeWords(root), once: await debianDescriptions(root) }, root),
    validation: (root) => libreOfficeHelp('dev', direction, root),
    test: (root) => libreOfficeHelp('test', direction, root),
  }
}

export const CATALOGUE = {
  emoji: {
    description:
      'Noto emoji (Google), 32 × 32 pixels on white, from emoji-datasource-google 16.0.0; names and keywords from emojibase-data 17.0.0',
    licence: 'Apache-2.0, MIT',
    train: (root) => emoji('train', root),
    test: (root) => emoji('test', root),
  },
  'fashion-mnist': {
    description: 'Fashion-MNIST: 60,000 grey pictures of clothes (Zalando SE, arXiv:1708.07747), in 32 × 32 pixels',
    licence: 'MIT',
    train: (root) => fashionMnist('train', 32, root),
    test: (root) => fashionMnist('test', 32, root),
  },
  sensors: {
    description:
      'Humidity and temperature of four wireless sensors (Suthaharan et al. 2010), each reading with two before and two after; the first 2,000 of each sensor',
    licence: 'ODC-By-1.0, CC-BY-4.0',
    train: (root) => sensorReadings('train', root),
    test: (root) => sensorReadings('test', root),
  },
  'libreoffice-en-fr': libreOffice('en', 'fr'),
  'libreoffice-fr-en': libreOffice('fr', 'en'),
  'software-en-fr': software('en', 'fr'),
  'software-fr-en': software('fr', 'en'),
} as const satisfies Record<string, CatalogueData>

export type CatalogueName = keyof typeof CATALOGUE
export const catalogueNames = Object.keys(CATALOGUE) as CatalogueName[]
