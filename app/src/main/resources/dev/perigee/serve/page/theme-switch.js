// The colours: as the system, light, dark, by turns; the choice stays in this browser.

const KEY = 'perigee.theme';
const CHOICES = ['system', 'light', 'dark'];
const WORDS = { system: 'Theme: auto', light: 'Theme: light', dark: 'Theme: dark' };

export class ThemeSwitch {
  constructor(button) {
    this.button = button;
    this.#apply(document.documentElement.dataset.theme ?? 'system');
    button.addEventListener('click', () => {
      const next = CHOICES[(CHOICES.indexOf(this.choice) + 1) % CHOICES.length];
      this.#apply(next);
      try {
        if (next === 'system') localStorage.removeItem(KEY);
        else localStorage.setItem(KEY, next);
      } catch {
        // Storage may be forbidden; the choice then holds as long as the page is open.
      }
    });
  }

  #apply(choice) {
    this.choice = choice;
    if (choice === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    this.button.textContent = WORDS[choice];
  }
}
