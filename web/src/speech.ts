/**
 * Reading aloud with the device's own voice (Web Speech).
 *
 * Only voices that are on the device are used: the others send the text to their maker.
 */

export class Speaker extends EventTarget {
  /** What is being read, as given to `say`; null in silence. */
  current: unknown = null;
  /** From 0 to 1, for what is read from now on. */
  volume = 1;

  /** There is a voice on the device for the language. Voices may arrive late: listen for `voices`. */
  available(lang: string): boolean {
    return this.#voice(lang) !== undefined;
  }

  connect(): void {
    globalThis.speechSynthesis?.addEventListener?.("voiceschanged", this.#voices);
  }

  disconnect(): void {
    this.stop();
    globalThis.speechSynthesis?.removeEventListener?.("voiceschanged", this.#voices);
  }

  /** Read a text, after what is being read already. `what` is only kept, to tell which one it is. */
  say(text: string, lang: string, what: unknown, rate = 1): void {
    const voice = this.#voice(lang);
    if (!voice) return;
    // Some browsers fall silent in the middle of a long utterance, so each sentence is one of its own.
    const sentences = text.match(/[^.!?\n]+[.!?\n]*\s*/g) ?? [text];
    for (const [n, sentence] of sentences.entries()) {
      const utterance = new SpeechSynthesisUtterance(sentence);
      utterance.voice = voice;
      utterance.lang = voice.lang;
      utterance.rate = rate;
      utterance.volume = this.volume;
      utterance.onstart = () => this.#set(what);
      if (n === sentences.length - 1) utterance.onend = () => this.#set(null);
      utterance.onerror = () => this.#set(null);
      speechSynthesis.speak(utterance);
    }
    this.#set(what);
  }

  stop(): void {
    globalThis.speechSynthesis?.cancel();
    this.#set(null);
  }

  readonly #voices = (): void => {
    this.dispatchEvent(new Event("change"));
  };

  #set(what: unknown): void {
    if (this.current === what) return;
    this.current = what;
    this.dispatchEvent(new Event("change"));
  }

  #voice(lang: string): SpeechSynthesisVoice | undefined {
    const voices = globalThis.speechSynthesis?.getVoices() ?? [];
    const fits = voices.filter((voice) => voice.localService && voice.lang.toLowerCase().startsWith(lang));
    return fits.find((voice) => voice.default) ?? fits[0];
  }
}
