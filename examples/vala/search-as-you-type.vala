// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// search-as-you-type FILE [KEYS]
//
// Prints the lines of a file that contain what is typed. With each key a worker begins to
// search for the whole text, and the search before it, if it has not ended, is cancelled:
// nobody sees what it finds. Keys are those of the command line, as if typed faster than
// anything can be found, or come from standard input as they are typed there; Enter is no
// key. In the end it says how many searches were cancelled, and how many lines all have
// looked at.
//
//     $ search-as-you-type examples/vala/meson.build grep
//     13:  'grep-tree',
//     22:vala_examples_as_in_c = ['grep-tree', …
//     grep: 2 lines
//     3 searches cancelled, 200 lines looked at
//
// Exit status: 0; 1 if the file could not be read; 2 if called in a wrong way.

using GLib;
using Concur;

const size_t CHUNK_SIZE = 4096;

// All but the counter of lines belongs to the main loop.
class Finder : Object {
	private File file;
	private StringBuilder typed = new StringBuilder ();
	private int n_searched = 0; // bytes of what was typed; an unfinished character may follow
	private TaskGroup? group = null; // of the last search, until it is shown
	private Promise begun; // by the last search
	private int n_running = 0; // searches, cancelled ones that have not ended yet included
	private SourceFunc? ended = null;
	private int n_lines = 0; // atomic

	public int n_cancelled { get; private set; }
	public int n_problems { get; private set; }

	public Finder (File file) {
		this.file = file;
	}

	public int get_n_lines () {
		return AtomicInt.get (ref n_lines);
	}

	// On a worker: the lines that contain the text, each with its number.
	private string find (string text, Job job) throws Error {
		var cancellable = job.get_cancellable ();
		var lines = new DataInputStream (file.read (cancellable));
		var found = new StringBuilder ();

		for (int number = 1;; number++) {
			// Reading looks at the cancellable only when it needs more of the file.
			job.check_cancelled ();

			string? line = lines.read_line (null, cancellable);
			if (line == null)
				return found.str;
			AtomicInt.inc (ref n_lines);
			if (line.contains (text))
				found.append_printf ("%d:%s\n", number, line);
		}
	}

	// Is not called for a search that was cancelled, be it that it has ended by then.
	private void show (Future future) {
		group = null;
		try {
			string found = future.value_as<string> ();
			int n = found.split ("\n").length - 1;

			// The text of a file need not be in any character set: as it is.
			stdout.printf ("%s%s: %d lines\n", found, future.name, int.max (n, 0));
			stdout.flush ();
		} catch (Error e) {
			printerr ("%s: %s\n", future.name, e.message);
			n_problems++;
		}
	}

	private void cancel_search () {
		if (group == null)
			return;

		// Who types so fast would cancel searches before they begin; this one is to stop in
		// the middle.
		begun.get_future ().wait ();

		group.cancel_silently ();
		group = null;
		n_cancelled++;
	}

	private void begin_search (string text) {
		var promise = new Promise ();

		begun = promise;
		group = new TaskGroup ();
		var future = group.submit_as<string> ((job) => {
			promise.resolve (true);
			return find (text, job);
		});
		future.name = text;
		group.when_done (future, (future) => show (future));

		// Is done when the search has ended in whatever way, and tells of each, for it is not
		// a callback of the group. Its error is that of the search.
		var all = group.close ();
		all.ignore ();
		all.when_done ((all) => {
			if (--n_running == 0 && ended != null)
				ended ();
		});
		n_running++;
	}

	// Keys are characters, of which the last may be there in part.
	private void type (uint8[] keys) {
		foreach (uint8 key in keys)
			if (key != '\n' && key != 0)
				typed.append_c ((char) key);

		while (n_searched < typed.len) {
			unichar character = typed.str.offset (n_searched).get_char_validated ();

			if (character == (unichar) (-2))
				break;

			n_searched += character == (unichar) (-1) ? 1 : character.to_string ().length;
			cancel_search ();
			begin_search (typed.str.substring (0, n_searched));
		}
	}

	// Without keys: those that are typed.
	public async void run (string? keys) throws Error {
		if (keys != null) {
			type (keys.data);
		} else {
			var input = new UnixInputStream (Posix.STDIN_FILENO, false);
			Bytes read = yield input.read_bytes_async (CHUNK_SIZE);

			while (read.length > 0) {
				type (read.get_data ());
				read = yield input.read_bytes_async (CHUNK_SIZE);
			}
		}

		if (n_running > 0) {
			ended = run.callback;
			yield;
		}
	}
}

int main (string[] args) {
	Intl.setlocale ();
	if (args.length < 2 || args.length > 3 || args[1].has_prefix ("-")) {
		printerr ("Usage: search-as-you-type FILE [KEYS]\n");
		return 2;
	}

	var loop = new MainLoop ();
	var finder = new Finder (File.new_for_path (args[1]));
	int status = 0;
	finder.run.begin (args.length > 2 ? args[2] : null, (object, result) => {
		try {
			finder.run.end (result);
			print ("%d searches cancelled, %d lines looked at\n", finder.n_cancelled,
			       finder.get_n_lines ());
			status = finder.n_problems > 0 ? 1 : 0;
		} catch (Error e) {
			printerr ("%s\n", e.message);
			status = 1;
		}
		loop.quit ();
	});
	loop.run ();

	return status;
}
