// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// results-as-finished FILE...
//
// Prints the SHA-256 digests of files, each as soon as it is known: small files do not
// wait for the large ones before them.
//
//     $ results-as-finished large small
//     1/2 4355a46b…  small
//     2/2 0c1e3f8d…  large
//
// Exit status: 0; 1 if a file could not be read; 2 if called in a wrong way.

using GLib;
using Concur;

// The number of those that failed.
async int print_digests (string[] paths) throws Error {
	Future[] pending = {};
	int n_done = 0, n_problems = 0;

	foreach (unowned string path in paths) {
		var future = file_digest (File.new_for_commandline_arg (path), ChecksumType.SHA256);

		future.name = path;
		pending += future;
	}

	while (pending.length > 0) {
		// Not wait_as: that would block the main loop. Several may be done by now.
		yield Future.wait_many (pending, WaitCondition.FIRST_COMPLETED).wait_async ();

		Future[] left = {};
		foreach (var future in pending) {
			if (!future.is_done ()) {
				left += future;
				continue;
			}
			n_done++;
			try {
				print ("%d/%d %s  %s\n", n_done, paths.length, future.value_as<string> (), future.name);
			} catch (Error e) {
				print ("%d/%d %s: %s\n", n_done, paths.length, future.name, e.message);
				n_problems++;
			}
		}
		pending = left;
	}
	return n_problems;
}

int main (string[] args) {
	Intl.setlocale ();
	if (args.length < 2) {
		printerr ("Usage: results-as-finished FILE...\n");
		return 2;
	}

	var loop = new MainLoop ();
	int status = 0;
	print_digests.begin (args[1:args.length], (object, result) => {
		try {
			status = print_digests.end (result) > 0 ? 1 : 0;
		} catch (Error e) {
			printerr ("%s\n", e.message);
			status = 1;
		}
		loop.quit ();
	});
	loop.run ();

	return status;
}
