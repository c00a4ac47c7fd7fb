"""What is due soon: as a list, a month, by team and worker, a sheet to print, and as calendars that people subscribe to."""
